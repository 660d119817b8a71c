"""What cards and tier say beside name and price: description, terms, picture, a voucher's last day."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client

from loyaltyview.programs.models import Program
from providers.types import Lock, LockReason, Tier

from .conftest import Open, squeezed
from .fakes import MIA, REWARDS, VOUCHERS, Vendor

TERMS = "One for each customer.\r\n\r\nNot on <gift cards>."


def page_of(client: Client, page: str) -> str:
    return squeezed(client.get(page).content.decode())


@pytest.mark.parametrize("lock", [None, Lock(reason=LockReason.POINTS, points_gap=40)])
def test_a_reward_shows_description_terms_and_picture(
    client: Client, page: str, vendor: Vendor, lock: Lock | None
) -> None:
    reward = replace(
        REWARDS[0], description="Off any cart.", terms=TERMS, image="/house/pictures/a.webp", lock=lock
    )
    vendor.rewards = (reward,)
    html = page_of(client, page)
    assert '<span class="about">Off any cart.</span>' in html
    assert "<summary>Terms</summary><p>One for each customer.<br>Not on &lt;gift cards&gt;.</p>" in html
    # The size is given, so that nothing moves when the picture comes.
    assert 'src="/house/pictures/a.webp" alt="" width="56" height="56" loading="lazy"' in html


def test_a_picture_elsewhere_is_not_asked_for(client: Client, page: str, vendor: Vendor) -> None:
    vendor.rewards = tuple(
        replace(REWARDS[0], reward_id=f"reward-{number}", image=address)
        for number, address in enumerate(["https://shop.example/a.png", "//shop.example/a.png", "a.png", ""])
    )
    assert "<img" not in page_of(client, page)


def test_a_voucher_shows_description_terms_and_its_last_day_at_the_program(
    client: Client, open_page: Open, vendor: Vendor
) -> None:
    Program.objects.update(time_zone="America/New_York")
    ends = datetime.fromisoformat("2027-01-01T04:59:59+00:00")
    vendor.vouchers = (replace(VOUCHERS[0], description="For you.", terms="In stores.", expires_at=ends),)
    with time_machine.travel(ends - timedelta(days=30), tick=False):
        html = page_of(client, open_page())
    assert '<span class="about">For you.</span>' in html
    assert "Expires on Dec 31" in html
    assert "<summary>Terms</summary><p>In stores.</p>" in html


def test_a_voucher_that_does_not_fit_shows_its_last_day(
    client: Client, open_page: Open, vendor: Vendor
) -> None:
    now = datetime.fromisoformat("2026-11-30T12:00:00+00:00")
    vendor.vouchers = (replace(VOUCHERS[0], expires_at=now, lock=Lock(reason=LockReason.ONLINE_ONLY)),)
    with time_machine.travel(now - timedelta(days=3), tick=False):
        assert "Expires on Nov 30" in page_of(client, open_page())


def test_a_tier_shows_its_benefits(client: Client, page: str, vendor: Vendor) -> None:
    tier = Tier(name="Gold", benefits="Free alterations\nEarly sale")
    vendor.members = {MIA.ref: replace(MIA, tier=tier)}
    assert "<summary>Benefits of Gold</summary><p>Free alterations<br>Early sale</p>" in page_of(client, page)
