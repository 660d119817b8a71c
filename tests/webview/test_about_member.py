"""What else the member page says: birthday, member since, and what this cart brings once it is paid."""

from dataclasses import replace
from datetime import UTC, datetime

from django.test import Client

from providers.types import Birthday, Lock, LockReason

from .conftest import squeezed, words
from .fakes import MIA, REWARDS, Vendor

FACTS = {
    "birthday": Birthday(month=2, day=29, year=1988),
    "joined_at": datetime(2023, 5, 2, tzinfo=UTC),
}


def test_birthday_and_member_since_are_shown_where_the_program_says_them(
    client: Client, page: str, vendor: Vendor
) -> None:
    assert "Member since" not in client.get(page).content.decode()
    vendor.members[MIA.ref] = replace(MIA, **FACTS)
    html = client.get(page).content.decode()
    assert "<dd>February 29</dd>" in html
    assert "1988" not in words(html), "the screen is seen by others"
    assert "<dd>May 2023</dd>" in squeezed(html)


def test_the_page_says_what_this_cart_opens(client: Client, page: str) -> None:
    html = squeezed(client.get(page).content.decode())
    assert 'data-balance-then="949"' in html
    assert "<bdi>$50 off</bdi></dt><dd>Can be used then</dd>" in html


def test_the_page_says_what_is_still_missing_after_this_cart(
    client: Client, page: str, vendor: Vendor
) -> None:
    lock = Lock(reason=LockReason.POINTS, points_gap=180)
    vendor.rewards = tuple(replace(each, lock=lock) for each in REWARDS if each.reward_id == "fifty-off")
    html = squeezed(client.get(page).content.decode())
    assert "<bdi>$50 off</bdi></dt><dd>51 points still missing</dd>" in html
