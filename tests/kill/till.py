"""The associate's pages as a browser without JavaScript uses them: real HTTP, cookies, the page's forms."""

import re
from html.parser import HTMLParser
from types import TracebackType
from urllib.parse import urljoin, urlsplit

import requests

TIMEOUT_S = 60


class Forms(HTMLParser):
    """The forms of a page, each with its address and its hidden fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((given.get("action", ""), {}))
        elif tag == "input" and given.get("type") == "hidden" and "form" not in given:
            self.found[-1][1][given["name"]] = given["value"]


def found(pattern: str, page: str) -> str:
    match = re.search(pattern, page)
    return match.group(1) if match else ""


def problem_of(page: str) -> str:
    """Return the code of the refusal that the page shows, "" without one."""
    return found(r'data-error="([^"]+)"', page)


class Till:
    """One launch. `page` is what it shows, `status` the HTTP status that came with it."""

    def __init__(self, launch_url: str) -> None:
        self._session = requests.Session()
        self.page, self.status = "", 0
        self._sent: tuple[str, dict[str, str]] = ("", {})
        self.open(launch_url)
        self.member_url = self.url
        self.path = urlsplit(self.url).path

    def __enter__(self) -> "Till":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._session.close()

    def open(self, url: str) -> None:
        """Open another page. Raises ConnectionError when the server is killed meanwhile."""
        self._show(self._session.get(url, timeout=TIMEOUT_S))

    def form(self, path: str, item: str = "") -> tuple[str, dict[str, str]]:
        """Return the address and the fields of the form that goes to `path`: that of the card `item` where
        there are several."""
        forms = [each for each in Forms(self.page).found if f"/{path}/" in each[0]]
        (action, fields), *others = [each for each in forms if not item or each[1].get("item") == item]
        assert not others, "more than one such form"
        return urljoin(self.url, action), fields

    def tap(self, path: str = "redeem", item: str = "") -> None:
        """Send a form of this page and follow the answer. Raises ConnectionError when the server dies
        meanwhile."""
        self._sent = self.form(path, item)
        self.tap_again()

    def tap_again(self) -> None:
        """Send the same form once more."""
        address, fields = self._sent
        self._show(self._session.post(address, data=fields, timeout=TIMEOUT_S))

    def send(self, address: str, fields: dict[str, str]) -> requests.Response:
        """Send a form from any thread, as a separate page would, without following the answer."""
        return requests.post(
            address,
            data=fields,
            cookies=self._session.cookies.get_dict(),
            timeout=TIMEOUT_S,
            allow_redirects=False,
        )

    @property
    def code(self) -> str:
        """The code that the page shows, "" without one."""
        return self._found(r'<code id="code[^"]*">([^<]+)<')

    @property
    def handoff(self) -> str:
        """The deeplink of "Return to cart"."""
        return self._found(r'id="handoff" href="([^"]+)"').replace("&amp;", "&")

    @property
    def problem(self) -> str:
        """The code of the refusal that the page shows, "" without one."""
        return problem_of(self.page)

    @property
    def is_checking(self) -> bool:
        return 'data-state="uncertain"' in self.page

    @property
    def points(self) -> int:
        """The balance on the member page."""
        return int(self._found(r'data-points="(\d+)"'))

    def _found(self, pattern: str) -> str:
        return found(pattern, self.page)

    def _show(self, response: requests.Response) -> None:
        self.page, self.status, self.url = response.text, response.status_code, response.url
        assert self.status < 500 or self.status == 503, self.page
