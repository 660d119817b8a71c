"""A small host app: a WebView of WebKitGTK that plays the Associate App. Debian's own Python runs it, since
Debian packages WebKit's bindings for it; so it imports nothing of this project.

It reads commands from standard input and writes answers to standard output, each a line of JSON. An answer
has `value`, or `error`.
"""

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gdk, GLib, Gtk, WebKit2

SCHEMES = ("http", "https", "about", "data", "blob")
# No proxy listens there: what is not loaded yet cannot be.
NOWHERE = "http://127.0.0.1:9"
LOOKS_EVERY_MS = 30


class Host:
    def __init__(self):
        self.window = Gtk.OffscreenWindow()
        self.view = None
        self.begin()

    # --- Commands ---------------------------------------------------------------------------------

    def begin(self):
        """Forget everything: a new session on a phone, online."""
        self.context = WebKit2.WebContext.new_ephemeral()
        self.content = WebKit2.UserContentManager()
        settings = WebKit2.Settings(enable_media_stream=True)
        former, self.view = (
            self.view,
            WebKit2.WebView(web_context=self.context, user_content_manager=self.content, settings=settings),
        )
        self.view.connect("decide-policy", self.decide)
        self.view.connect("load-failed", lambda *_args: True)  # the page stays, as in the app
        if former:
            self.window.remove(former)
            former.destroy()
        self.window.add(self.view)
        self.handoffs = []
        self.dark(False)
        self.size(390, 844)

    def open(self, address):
        self.view.load_uri(address)

    def size(self, width, height):
        self.window.set_default_size(width, height)
        self.window.resize(width, height)
        self.view.set_size_request(width, height)
        self.window.show_all()

    def inject(self, script):
        """Run `script` before each page's own, as the app does with window.NEWSTORE."""
        self.content.add_script(
            WebKit2.UserScript(
                script,
                WebKit2.UserContentInjectedFrames.TOP_FRAME,
                WebKit2.UserScriptInjectionTime.START,
                None,
                None,
            )
        )

    def dark(self, is_dark):
        Gtk.Settings.get_default().set_property("gtk-application-prefer-dark-theme", is_dark)

    def zoom(self, factor):
        self.view.set_zoom_level(factor)

    def offline(self, is_offline):
        data = self.context.get_website_data_manager()
        if is_offline:
            proxy = WebKit2.NetworkProxySettings(NOWHERE, None)
            data.set_network_proxy_settings(WebKit2.NetworkProxyMode.CUSTOM, proxy)
        else:
            data.set_network_proxy_settings(WebKit2.NetworkProxyMode.NO_PROXY, None)

    def hang_up(self):
        """End every connection at once. WebKit starts its process for the network anew with the next page."""
        me = os.getpid()
        for status in Path("/proc").glob("[0-9]*/status"):
            with suppress(OSError):
                lines = dict(line.partition(":")[::2] for line in status.read_text().splitlines())
                if lines["Name"].strip().startswith("WebKitNetwork") and int(lines["PPid"]) == me:
                    os.kill(int(status.parent.name), signal.SIGKILL)

    # --- Commands whose answer comes later --------------------------------------------------------

    def run(self, script, answer):
        """Run `script`, the body of a function; answer with what it returns."""

        def ended(view, result):
            try:
                value = view.call_async_javascript_function_finish(result)
                answer(json.loads(value.to_json(0) or "null"))
            except GLib.Error as error:
                answer(error=error.message)

        self.view.call_async_javascript_function(script, -1, None, None, None, None, ended)

    def wait(self, condition, seconds, answer):
        """Answer True once the expression `condition` is true on the page, over any change of page; False
        after so many seconds."""
        until = GLib.get_monotonic_time() + seconds * 1_000_000
        is_over = False

        def end(value):
            nonlocal is_over
            if not is_over:
                is_over = True
                answer(value)

        def look():
            if is_over:
                return False
            if GLib.get_monotonic_time() > until:
                end(False)
                return False
            script = f"return Boolean({condition})"
            self.view.call_async_javascript_function(script, -1, None, None, None, None, ended)
            return True

        def ended(view, result):
            try:
                if view.call_async_javascript_function_finish(result).to_boolean():
                    end(True)
            except GLib.Error:
                pass  # the page was left; the next one may have it

        GLib.timeout_add(LOOKS_EVERY_MS, look)

    def wait_handoff(self, seconds, answer):
        """Answer with the first address of the app's scheme that the page opens; "" after so many seconds."""
        until = GLib.get_monotonic_time() + seconds * 1_000_000

        def look():
            if self.handoffs or GLib.get_monotonic_time() > until:
                answer(next(iter(self.handoffs), ""))
                return False
            return True

        GLib.timeout_add(LOOKS_EVERY_MS, look)

    def shot(self, path, answer):
        """Save the whole page as a PNG."""

        def ended(view, result):
            try:
                view.get_snapshot_finish(result).write_to_png(path)
                answer(path)
            except GLib.Error as error:
                answer(error=error.message)

        region, options = WebKit2.SnapshotRegion.FULL_DOCUMENT, WebKit2.SnapshotOptions.NONE
        self.view.get_snapshot(region, options, None, ended)

    # --- What WebKit asks -------------------------------------------------------------------------

    def decide(self, _view, decision, kind):
        if kind == WebKit2.PolicyDecisionType.NAVIGATION_ACTION:
            address = decision.get_navigation_action().get_request().get_uri()
            if not address.startswith(SCHEMES):
                self.handoffs.append(address)
                decision.ignore()
                return True
        return False


def main():
    Gtk.init(None)
    Gdk.set_allowed_backends("x11")
    host = Host()

    def answer(value=None, error=None):
        sys.stdout.write(json.dumps({"error": error} if error else {"value": value}) + "\n")
        sys.stdout.flush()

    def obey(command):
        name, given = command
        try:
            if name in ("run", "wait", "wait_handoff", "shot"):
                getattr(host, name)(*given, answer)
            else:
                answer(getattr(host, name)(*given))
        except Exception as error:  # the test that sent it reads this
            answer(error=f"{type(error).__name__}: {error}")
        return False

    def listen():
        for line in sys.stdin:
            GLib.idle_add(obey, json.loads(line))
        GLib.idle_add(Gtk.main_quit)

    threading.Thread(target=listen, daemon=True).start()
    Gtk.main()


if __name__ == "__main__":
    main()
