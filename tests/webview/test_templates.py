"""Templates and scripts keep to the strict CSP, and every text can be translated."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views import defaults

from loyaltyview.programs.models import Program
from loyaltyview.webview.models import Launch

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
OURS = [path for path in TEMPLATES if "admin" not in path.parts]
TRANSLATED = re.compile(r"{% blocktranslate.*?{% endblocktranslate %}", re.DOTALL)
# Blocks that stand inside a tag hold attributes and codes.
ATTRIBUTES = re.compile(r"{% block (?:page|body_attributes|code) %}.*?{% endblock %}", re.DOTALL)
TAGS = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
SPOKEN = {"alt", "aria-label", "title", "placeholder"}


class Page(HTMLParser):
    """Collects what a strict CSP would refuse, and text that no catalogue knows."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.refused.append(tag)
        self.refused += [name for name in names if name in ("style", "hx-vars", "hx-vals")]
        self.refused += [name for name in names if name.startswith(("on", "hx-on"))]
        self.texts += [value or "" for name, value in attrs if name in SPOKEN]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def parsed(path: Path) -> Page:
    page = Page()
    page.feed(TAGS.sub("", ATTRIBUTES.sub("", TRANSLATED.sub("", path.read_text()))))
    return page


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_inline_style_or_script(path: Path) -> None:
    assert parsed(path).refused == []
    assert "|safe" not in path.read_text()


def test_no_line_of_a_template_is_longer_than_120_characters() -> None:
    long = [
        f"{path.relative_to(settings.BASE_DIR)}:{number}"
        for path in TEMPLATES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > 120
    ]
    assert long == []


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_every_text_is_marked_for_translation(path: Path) -> None:
    plain = [text.strip() for text in parsed(path).texts if re.search(r"[A-Za-z]{2}", text)]
    assert plain == []


@pytest.mark.parametrize("path", sorted((settings.BASE_DIR / "static/js").glob("*.js")), ids=lambda p: p.name)
def test_scripts_are_small_and_need_no_eval(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < 160
    assert not re.search(r"\beval\(|new Function|innerHTML|\.style\b|Storage\b|document\.write", text)


def test_a_rendered_page_loads_only_its_own_files(client: Client, page: str) -> None:
    response = client.get(page)
    html = response.content.decode()
    parser = Page()
    parser.feed(html)
    policy = response["Content-Security-Policy"]
    styles = re.findall(r"<style>(.*?)</style>", html)
    assert parser.refused == ["style"] * len(styles)
    for style in styles:
        assert f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in policy
    assert all(src.startswith("/static/") for src in re.findall(r'<script[^>]* src="([^"]+)"', html))
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy + ";"
    assert "'unsafe-" not in policy


@pytest.mark.parametrize(
    ("method", "address", "has_scanner"),
    [
        ("get", "", True),
        ("get", "find/", True),
        ("get", "shift/", False),
        ("get", "history/", False),
        ("post", "find/", True),
        ("post", "choose/", True),
        ("post", "voucher/", True),
        ("post", "redeem/", True),
        ("post", "several/", True),
    ],
)
def test_only_a_page_with_a_scanner_may_compile_the_reader_of_codes(
    client: Client, page: str, method: str, address: str, has_scanner: bool
) -> None:
    client.get(page)
    response = getattr(client, method)(page + address)
    assert ('id="scanner"' in response.content.decode()) == has_scanner
    assert ("'wasm-unsafe-eval'" in response["Content-Security-Policy"]) == has_scanner


def test_the_error_pages_need_no_program(rf: RequestFactory) -> None:
    request = rf.get("/")
    for response, code in (
        (defaults.bad_request(request, ValueError()), "BAD_REQUEST"),
        (defaults.permission_denied(request, ValueError()), "FORBIDDEN"),
        (defaults.page_not_found(request, ValueError()), "NOT_FOUND"),
        (defaults.server_error(request), "SERVER_ERROR"),
    ):
        html = response.content.decode()
        assert 'data-page="refused"' in html
        assert f'role="alert" data-error="{code}"' in html


def test_an_address_that_does_not_exist_is_a_page(client: Client, program: Program) -> None:
    response = client.get("/nothing/here/")
    assert response.status_code == 404
    assert 'data-error="NOT_FOUND"' in response.content.decode()


def test_every_page_that_a_template_names_has_an_address() -> None:
    named = {name for path in OURS for name in re.findall(r"launch\.pages\.(\w+)", path.read_text())}
    pages = Launch(pk="one").pages
    assert {name: pages[name] for name in named} == {name: reverse(name, args=["one"]) for name in named}
