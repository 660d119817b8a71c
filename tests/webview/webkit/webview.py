"""Drives the small host app with WebKit's WebView (`host.py`), the engine of the real host."""

import json
import os
import subprocess
from pathlib import Path
from select import select
from typing import Any

from tests.setup.webkit import PYTHON

HOST = Path(__file__).with_name("host.py")
WAITS_S = 15
# A tap where the element is in sight and nothing lies over it, as a finger's.
TAP = """
const element = document.querySelector(SELECTOR);
if (!element) return "is not on the page";
element.scrollIntoView({block: "center"});
const box = element.getBoundingClientRect();
const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
if (!hit || !(element === hit || element.contains(hit) || hit.contains(element)))
  return "is covered by " + (hit ? hit.outerHTML.slice(0, 80) : "nothing");
element.click();
return "";
"""


class WebView:
    """One host app. Its methods end when the page has done what was asked, or raise AssertionError."""

    def __init__(self) -> None:
        environ = {
            **os.environ,
            "GDK_BACKEND": "x11",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "NO_AT_BRIDGE": "1",
            "WEBKIT_DISABLE_COMPOSITING_MODE": "1",
        }
        self._process = subprocess.Popen(
            ["xvfb-run", "--auto-servernum", PYTHON, str(HOST)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environ,
            text=True,
        )

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()

    def do(self, name: str, *given: Any) -> Any:
        """Give the host a command and return its answer."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([name, given]) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select([self._process.stdout], [], [], 2 * WAITS_S)
        assert ready, f"the host does not answer: {name} {given!r:.200}"
        answer = json.loads(self._process.stdout.readline())
        if answer.get("error"):
            raise AssertionError(answer["error"])
        return answer["value"]

    def run(self, script: str) -> Any:
        """Return what `script`, the body of a function, returns on the page."""
        return self.do("run", script)

    def open(self, address: str, until: str = "[data-points]") -> None:
        self.do("open", address)
        self.wait_for(f"document.readyState === 'complete' && document.querySelector({json.dumps(until)})")

    def wait_for(self, condition: str) -> None:
        """Wait until the expression `condition` is true on the page, over any change of page."""
        if not self.do("wait", condition, WAITS_S):
            raise AssertionError(f"never came true: {condition}; the page says: {self.text()[:500]}")

    def wait_for_text(self, text: str) -> None:
        self.wait_for(f"document.body && document.body.innerText.includes({json.dumps(text)})")

    def tap(self, selector: str) -> None:
        assert not (fault := self.run(TAP.replace("SELECTOR", json.dumps(selector)))), f"{selector} {fault}"

    def fill(self, selector: str, text: str) -> None:
        """Type `text` in place of what the field holds."""
        self.run(
            f"const field = document.querySelector({json.dumps(selector)}); field.focus();"
            f"field.value = {json.dumps(text)};"
            "for (const kind of ['input', 'change']) field.dispatchEvent(new Event(kind, {bubbles: true}));"
        )

    def text(self) -> str:
        return str(self.run("return document.body.innerText"))

    def wait_for_handoff(self) -> str:
        """Wait until the page has opened an address of the app's scheme, and return it."""
        handoff = self.do("wait_handoff", WAITS_S)
        assert handoff, "the page never went back to the app"
        return str(handoff)
