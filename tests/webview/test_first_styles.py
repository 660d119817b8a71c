"""The member page of a browser that is here for the first time has its first styles in itself."""

import gzip
import re

from django.test import Client

from loyaltyview.webview.first_styles import FILES, first_part

LINKS = "".join(f'<link rel="stylesheet" href="/static/{name}">' for name in FILES)


def head_of(html: str) -> str:
    return html.partition("<body")[0]


def test_the_first_page_has_its_styles_and_the_later_ones_link_them(client: Client, page: str) -> None:
    first = client.get(page)
    html = first.content.decode()
    assert f"<style>{first_part()}</style>" in head_of(html)
    assert LINKS not in head_of(html)
    assert html.partition("</main>")[2].count(LINKS) == 1, "the files follow behind the content"
    assert first.cookies["styles"]["httponly"]
    later = client.get(page)
    html = later.content.decode()
    assert first_part() not in html
    assert html.count(LINKS) == 1
    assert LINKS in head_of(html)
    assert "styles" not in later.cookies


def test_pages_other_than_the_members_wait_for_their_styles(client: Client, page: str) -> None:
    head = head_of(client.get(page + "find/").content.decode())
    assert [name in head for name in (*FILES, "css/pages.css")] == [True, True, True]


def test_the_first_styles_are_whole_rules_in_the_layers_of_all_files() -> None:
    css = first_part()
    assert css.startswith("@layer reset,tokens,base,components,pages;")
    assert css.count("{") == css.count("}")
    assert "/*" not in css
    assert len(gzip.compress(css.encode())) < 5_000, "it is sent twice to a new browser"
    for each in (".panel", ".balance", ".card-face", ".bar", ".bone", "@keyframes breathe"):
        assert re.search(re.escape(each) + r"[ ,{]", css), each
