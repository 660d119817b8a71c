"""A slow vendor: the frame is sent at once, and the content follows in the same answer."""

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from zlib import decompressobj

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from loyaltyview.redemptions.models import Redemption
from loyaltyview.webview.member_context import Page
from providers.base import Capability
from providers.errors import Unavailable

from .conftest import open_slowly
from .fakes import FakeProvider, Vendor
from .test_redeem import form


@pytest.fixture
def slow(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    """A vendor that answers when the test lets it go."""
    monkeypatch.setattr(settings, "FIRST_PAINT_MS", 1)
    vendor.hold()
    return vendor


def rest_of(parts: Iterator[bytes]) -> str:
    return b"".join(parts).decode()


def test_a_slow_vendor_gets_a_skeleton_and_then_the_content(client: Client, page: str, slow: Vendor) -> None:
    shell, parts = open_slowly(client, page)
    assert "data-loading" in shell
    assert "$129.90" in shell
    assert "</main>" not in shell
    slow.let_go()
    content = rest_of(parts)
    assert content.startswith("<style>#early{display:none}</style>")
    assert 'data-points="820"' in content
    assert content.strip().endswith("</html>")
    assert slow.calls.count("find_members") == 1, "what was under way was not asked for again"


def test_the_policy_allows_the_style_that_hides_the_skeleton_and_no_other(
    client: Client, page: str, slow: Vendor
) -> None:
    policy = client.get(page)["Content-Security-Policy"]
    hashed = b64encode(sha256(b"#early{display:none}").digest()).decode()
    assert f"'sha256-{hashed}'" in policy.partition("style-src 'self'")[2].partition(";")[0]
    assert "'wasm-unsafe-eval'" in policy
    assert "unsafe-inline" not in policy


def test_each_part_of_a_compressed_page_can_be_read_when_it_is_sent(
    client: Client, page: str, slow: Vendor
) -> None:
    parts: Iterator[bytes] = iter(client.get(page, headers={"Accept-Encoding": "gzip"}))
    unzip = decompressobj(wbits=31)
    assert "$129.90" in unzip.decompress(next(parts)).decode()
    slow.let_go()
    assert 'data-points="820"' in unzip.decompress(b"".join(parts)).decode()
    assert unzip.eof


def test_a_skeleton_asks_for_its_content_where_the_connection_broke(
    client: Client, page: str, slow: Vendor
) -> None:
    shell, _parts = open_slowly(client, page)
    assert f'hx-get="{page}content/"' in shell
    slow.let_go()
    content = client.get(page + "content/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in content
    assert 'data-points="820"' in content
    assert slow.calls.count("find_members") == 1


def test_a_skeleton_leads_on_to_the_search_where_the_customer_is_no_member(
    client: Client, page: str, slow: Vendor
) -> None:
    slow.members.clear()
    _shell, parts = open_slowly(client, page)
    slow.let_go()
    address = page + ("enrol/" if Capability.ENROL in FakeProvider(slow).capabilities else "find/")
    assert f'<meta http-equiv="refresh" content="0;url={address}">' in rest_of(parts)


def test_a_skeleton_is_followed_by_the_outage(client: Client, page: str, slow: Vendor) -> None:
    _shell, parts = open_slowly(client, page)
    slow.errors["find_members"] = Unavailable("timeout")
    slow.let_go()
    assert 'data-error="PROVIDER_UNAVAILABLE"' in rest_of(parts)


def test_a_skeleton_is_followed_by_the_outage_at_the_deadline(
    client: Client, page: str, slow: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "PAGE_DEADLINE_S", 0.05)
    _shell, parts = open_slowly(client, page)
    assert 'data-error="PROVIDER_UNAVAILABLE"' in rest_of(parts)


@pytest.mark.parametrize(
    ("error", "code"),
    [(OperationalError("gone"), "DATABASE_UNAVAILABLE"), (ValueError("ours"), "SERVER_ERROR")],
)
def test_a_fault_behind_a_skeleton_is_said(
    client: Client, page: str, slow: Vendor, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    def fail(*_arguments: object) -> None:
        raise error

    client.raise_request_exception = False
    monkeypatch.setattr(Page, "member_context", fail)
    _shell, parts = open_slowly(client, page)
    slow.let_go()
    rest = rest_of(parts)
    assert f'data-error="{code}"' in rest
    assert rest.count("<html") == 0
    assert rest.strip().endswith("</html>")


@pytest.fixture
def undone(client: Client, page: str) -> str:
    """The address to which the undo of $10 off leads."""
    client.get(page)
    client.post(page + "redeem/", form())
    return str(client.post(f"{page}undo/{Redemption.objects.get().pk}/")["Location"])


@pytest.mark.parametrize("is_broken", [True, False])
def test_notices_are_shown_after_the_skeleton(
    client: Client, page: str, undone: str, vendor: Vendor, monkeypatch: pytest.MonkeyPatch, is_broken: bool
) -> None:
    monkeypatch.setattr(settings, "FIRST_PAINT_MS", 1)
    vendor.hold()
    shell, parts = open_slowly(client, undone)
    assert "data-loading" in shell
    vendor.let_go()
    if is_broken:
        fetched = re.search(r'hx-get="([^"]+)"', shell)
        assert fetched
        content = client.get(unescape(fetched.group(1)), headers={"HX-Request": "true"}).content.decode()
    else:
        content = rest_of(parts)
    assert "200 points are back." in content


def test_content_without_htmx_shows_notices(client: Client, page: str, undone: str) -> None:
    html = client.get(f"{page}content/?{undone.partition('?')[2]}", follow=True).content.decode()
    assert "200 points are back." in html


@pytest.mark.parametrize("news", ["enrolled=1", "consents=1"])
def test_the_skeleton_passes_notices_on(client: Client, page: str, slow: Vendor, news: str) -> None:
    shell, _parts = open_slowly(client, f"{page}?{news}&other=1")
    assert f'hx-get="{page}content/?{news}"' in shell
