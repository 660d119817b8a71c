"""A real Chromium and the demo, running: what the stories are played in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from .stack import Stack, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The demo with the house program. Its members are shared: a story takes a customer of its own."""
    folder: Path = tmp_path_factory.mktemp("demo")
    with running_stack(folder) as stack:
        yield stack


@pytest.fixture
def panel(browser: Browser, stack: Stack) -> Iterator[Page]:
    """The Associate App on a laptop; a script error or a refused resource fails the test."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    stack.act("log-out")
    page.goto(stack.app_url)
    yield page
    page.close()
    # Chromium alone says this of a frame; in the app's WebView our page is on top, and the field has focus.
    assert [text for text in broken if "autofocusing" not in text] == []
