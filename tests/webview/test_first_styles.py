"""The member page of a browser that is here for the first time has its first styles in itself."""

import re

from django.conf import settings
from django.test import Client

from loyaltyview.webview.first_styles import first_part

LINK = '<link rel="stylesheet" href="/static/css/app.css">'


def head_of(html: str) -> str:
    return html.partition("<body")[0]


def test_the_first_page_has_its_styles_and_the_later_ones_link_them(client: Client, page: str) -> None:
    first = client.get(page)
    html = first.content.decode()
    assert f"<style>{first_part()}</style>" in head_of(html)
    assert LINK not in head_of(html)
    assert html.partition("</main>")[2].count(LINK) == 1, "the whole file follows behind the content"
    assert first.cookies["styles"]["httponly"]
    later = client.get(page)
    html = later.content.decode()
    assert first_part() not in html
    assert html.count(LINK) == 1
    assert LINK in head_of(html)
    assert "styles" not in later.cookies


def test_pages_other_than_the_members_wait_for_their_styles(client: Client, page: str) -> None:
    assert LINK in head_of(client.get(page + "find/").content.decode())


def test_the_first_styles_are_whole_rules_in_the_layers_of_the_file() -> None:
    css = first_part()
    assert css.startswith("@layer reset,tokens,base,components,pages;")
    assert css.count("{") == css.count("}")
    assert "/*" not in css
    whole = (settings.BASE_DIR / "static/css/app.css").read_text()
    assert len(css) < len(whole) / 2
    for each in (".panel", ".balance", ".card-face", ".bar", ".bone", "@keyframes breathe"):
        assert re.search(re.escape(each) + r"[ ,{]", css), each
