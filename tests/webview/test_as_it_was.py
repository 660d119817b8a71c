"""A member seen within the day: their page shows what was read then, with its age, while the vendor is asked
once. The tap is judged by what the vendor says."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.webview.models import Launch
from providers.errors import ProviderError, RateLimited, Rejected, RejectReason, Unavailable
from providers.outbound import sharing
from providers.types import Member

from .conftest import Mint, Open, launch_params, open_slowly, words
from .fakes import MIA, NOAH, FakeProvider, Vendor
from .test_redeem import form

Later = Callable[..., str]


def html_of(client: Client, address: str) -> str:
    """Return the whole page, whether its content followed a frame or not."""
    return b"".join(client.get(address)).decode()


@pytest.fixture
def remote(vendor: Vendor) -> Vendor:
    vendor.is_local = False
    return vendor


@pytest.fixture
def later(client: Client, open_page: Open, remote: Vendor, newstore: Mint) -> Later:
    """Show Mia, and open another cart of theirs; returns its address. No call of before is counted."""
    html_of(client, open_page())

    def open_later(**changes: object) -> str:
        remote.calls.clear()
        return open_page(**{"cartId": "cart-2", **changes})

    return open_later


@pytest.fixture
def held(later: Later, remote: Vendor, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a second launch, while the vendor answers nothing."""
    monkeypatch.setattr(settings, "FIRST_PAINT_MS", 1)
    remote.hold()
    return later()


def test_the_frame_shows_the_member_as_they_were_and_how_long_ago(client: Client, held: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        frame, _parts = open_slowly(client, held)
    assert 'data-points="820"' in frame
    assert 'data-reward="ten-off"' in frame
    assert re.search(r'role="status"[^>]*>\s*As of\s+<time.*?</time>,\s+3 minutes ago', frame, re.DOTALL)
    assert "data-loading" not in frame


def test_name_and_contact_wait_for_the_vendor(client: Client, held: str, remote: Vendor) -> None:
    frame, parts = open_slowly(client, held)
    assert "Mia" not in words(frame)
    assert "m•••@example.test" in frame, "the cart's customer, as the launch has them"
    remote.let_go()
    assert "Mia S." in b"".join(parts).decode()


def test_the_live_answer_takes_the_frames_place(client: Client, held: str, remote: Vendor) -> None:
    _frame, parts = open_slowly(client, held)
    remote.members[MIA.ref] = replace(MIA, balance=replace(MIA.balance, spendable=77))
    remote.let_go()
    content = b"".join(parts).decode()
    assert content.startswith("<style>#early{display:none}</style>")
    assert 'data-points="77"' in content
    assert "As of" not in content


def test_without_a_script_a_box_belongs_to_the_form_of_its_own_part(
    client: Client, held: str, remote: Vendor
) -> None:
    frame, parts = open_slowly(client, held)
    remote.let_go()
    content = b"".join(parts).decode()

    assert 'form="several-early"' in frame
    assert 'form="several"' not in frame
    assert 'form="several"' in content
    assert 'form="several-early"' not in content


@pytest.mark.parametrize("error", [RateLimited("429", retry_after_s=1), Unavailable("timeout")])
def test_the_frame_stays_where_the_vendor_gives_no_answer(
    client: Client, held: str, remote: Vendor, error: ProviderError
) -> None:
    _frame, parts = open_slowly(client, held)
    remote.down(error)
    remote.let_go()
    rest = b"".join(parts).decode()
    assert "data-stays" in rest
    assert "#early" not in rest
    assert "unavailable" not in rest


def test_a_used_up_quota_shows_the_member_as_they_were(client: Client, later: Later, remote: Vendor) -> None:
    remote.down(RateLimited("429", retry_after_s=1))
    html = html_of(client, later())
    assert 'data-page="member"' in html
    assert 'data-points="820"' in html
    assert "data-as-of" in html


def test_one_call_shows_a_member_who_is_as_they_were(client: Client, later: Later, remote: Vendor) -> None:
    html = html_of(client, later())
    assert 'data-points="820"' in html
    assert "Mia S." in html
    assert 'data-reward="ten-off"' in html
    assert "This cart earns 129 points" in html
    assert "Rewards as of" in html
    assert remote.calls == ["get_member"], "begun with the launch and picked up by the page"


def test_other_goods_earn_anew(client: Client, later: Later, remote: Vendor) -> None:
    html = html_of(client, later(cartTotal=50, items=[]))
    assert "This cart earns 50 points" in html
    assert sorted(remote.calls) == ["get_member", "preview_earn"]


@pytest.mark.parametrize("is_old", [False, True])
def test_lists_are_read_again_for_another_balance_and_after_some_minutes(
    client: Client, later: Later, remote: Vendor, is_old: bool
) -> None:
    if not is_old:
        remote.members[MIA.ref] = replace(MIA, balance=replace(MIA.balance, spendable=900))
    remote.rewards = remote.rewards[1:]
    with time_machine.travel(timezone.now() + timedelta(minutes=16 if is_old else 1)):
        html = html_of(client, later())
    assert 'data-reward="ten-off"' not in html
    assert "s as of" not in html
    assert {"list_rewards", "list_vouchers"} < set(remote.calls)


def test_a_page_that_is_loaded_again_is_news(client: Client, later: Later, remote: Vendor) -> None:
    html_of(client, later(customerEmail="family@example.test"))
    remote.rewards = remote.rewards[1:]
    page = later()
    sharing.changed("acme", MIA.ref)
    html_of(client, page)
    remote.rewards = remote.rewards[1:]
    assert 'data-reward="fifteen-percent"' not in html_of(client, page)


def test_a_spend_elsewhere_refuses_the_tap_and_then_shows_the_live_state(
    client: Client, held: str, remote: Vendor
) -> None:
    frame, _parts = open_slowly(client, held)
    assert 'name="cost" value="200"' in frame
    remote.members[MIA.ref] = replace(MIA, balance=replace(MIA.balance, spendable=50))
    remote.let_go()
    html = client.post(held + "redeem/", form(cost="200")).content.decode()
    assert 'role="alert"' in html
    assert 'data-points="50"' in html
    assert not Redemption.objects.exclude(state=State.REFUSED).exists()
    assert not remote.spends


def test_a_tap_on_the_frame_and_one_on_the_content_behind_it_are_one(
    client: Client, held: str, program: Program, remote: Vendor
) -> None:
    program.codes_per_reward = 0  # no limit
    program.save()
    frame, parts = open_slowly(client, held)
    remote.let_go()
    keys = [
        re.search(r'data-reward="ten-off".*?name="key" value="([^"]+)"', html, re.DOTALL)
        for html in (frame, b"".join(parts).decode())
    ]
    for key in keys:
        assert key
        assert client.post(held + "redeem/", form(key=key.group(1))).status_code == 303
    assert len(remote.spends) == Redemption.objects.count() == 1


def test_a_price_that_rose_since_is_refused_and_shown(client: Client, later: Later, remote: Vendor) -> None:
    page = later()
    assert 'name="cost" value="200"' in html_of(client, page)
    remote.rewards = tuple(
        replace(each, points=250) if each.reward_id == "ten-off" else each for each in remote.rewards
    )
    html = client.post(page + "redeem/", form(cost="200")).content.decode()
    assert 'data-error="PRICE_CHANGED"' in html
    assert 'name="cost" value="250"' in html
    assert not Redemption.objects.exists()


def test_after_a_tap_in_another_process_nothing_of_before_is_painted(
    client: Client, held: str, remote: Vendor
) -> None:
    sharing.changed("acme", MIA.ref)
    frame, _parts = open_slowly(client, held)
    assert "data-loading" in frame
    assert "820" not in words(frame)


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_customer_who_is_another_member_now_is_looked_up_anew(
    client: Client, later: Later, remote: Vendor, is_gone: bool
) -> None:
    del remote.members[MIA.ref]
    if not is_gone:
        remote.members[MIA.ref] = replace(MIA, email="new@example.test")
    remote.members[NOAH.ref] = replace(NOAH, email=MIA.email)
    html = html_of(client, later())
    assert "Mia" not in words(html)
    assert 'data-points="40"' in html
    launch = Launch.objects.get(cart_id="cart-2")
    assert (launch.member_ref, launch.is_member_assumed) == (NOAH.ref, False)


def test_the_frame_of_another_member_goes_where_the_customers_own_record_is_not_there(
    client: Client, held: str, remote: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    _frame, parts = open_slowly(client, held)
    remote.members[MIA.ref] = replace(MIA, email="new@example.test")
    remote.members[NOAH.ref] = replace(NOAH, email=MIA.email)
    read = FakeProvider.get_member

    def read_mia_only(provider: FakeProvider, ref: str) -> Member:
        member = read(provider, ref)
        if ref == NOAH.ref:
            raise Unavailable("timeout")
        return member

    monkeypatch.setattr(FakeProvider, "get_member", read_mia_only)
    remote.let_go()
    rest = b"".join(parts).decode()
    assert "data-stays" not in rest
    assert "#early{display:none}" in rest
    assert Launch.objects.get(cart_id="cart-2").member_ref == NOAH.ref


def test_a_tap_for_a_member_who_is_another_customer_now_spends_nothing(
    client: Client, held: str, remote: Vendor
) -> None:
    open_slowly(client, held)
    remote.members[MIA.ref] = replace(MIA, email="new@example.test")
    remote.members[NOAH.ref] = replace(NOAH, email=MIA.email)
    remote.let_go()
    html = client.post(held + "redeem/", form(cost="200")).content.decode()
    assert 'data-error="MEMBER_NOT_FOUND"' in html
    assert 'data-points="40"' in html
    assert not Redemption.objects.exists()


@pytest.mark.parametrize("is_gone", [False, True])
def test_content_that_comes_late_leaves_the_member_that_was_chosen_meanwhile(
    client: Client, held: str, remote: Vendor, is_gone: bool
) -> None:
    _frame, parts = open_slowly(client, held)
    if is_gone:
        remote.members[MIA.ref] = replace(MIA, email="new@example.test")
    remote.let_go()
    client.post(held + "find/", {"q": NOAH.member_id})
    assert f'content="0;url={held}"' in b"".join(parts).decode()
    assert Launch.objects.get(cart_id="cart-2").member_ref == NOAH.ref


def test_history_of_a_member_who_is_another_customer_now_is_not_shown(
    client: Client, held: str, remote: Vendor
) -> None:
    remote.members[MIA.ref] = replace(MIA, email="new@example.test")
    remote.let_go()
    assert "Order ACM-1001" not in client.get(held + "history/").content.decode()


def test_a_confirmed_member_is_assumed_no_longer(client: Client, later: Later) -> None:
    page = later()
    assert Launch.objects.get(cart_id="cart-2").is_member_assumed
    html_of(client, page)
    assert not Launch.objects.get(cart_id="cart-2").is_member_assumed


def test_a_member_chosen_for_another_customers_cart_is_not_assumed(
    client: Client, open_page: Open, remote: Vendor
) -> None:
    page = open_page(customerEmail="family@example.test")
    client.post(page + "find/", {"q": "L-00042"})
    assert Launch.objects.get().member_ref == MIA.ref
    open_page(customerEmail="family@example.test", cartId="cart-2")
    assert Launch.objects.get(cart_id="cart-2").member_ref == ""


def test_a_new_customer_is_looked_up_while_the_redirect_travels(
    client: Client, open_page: Open, remote: Vendor, newstore: Mint
) -> None:
    html_of(client, open_page())
    assert remote.calls.count("find_members") == 1


def test_what_failed_at_the_launch_is_asked_again(client: Client, open_page: Open, remote: Vendor) -> None:
    remote.down(RateLimited("429", retry_after_s=1))
    page = open_page()
    remote.errors.clear()
    assert 'data-points="820"' in html_of(client, page)


@pytest.mark.parametrize("header", [{}, {"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch"}])
def test_a_launch_that_no_page_follows_asks_nothing(
    client: Client, program: Program, remote: Vendor, header: dict[str, str]
) -> None:
    method = client.get if header else client.head
    assert method("/launch/acme/", launch_params(program), headers=header).status_code == 302
    assert remote.calls == []


def test_a_member_who_has_left_is_not_assumed_by_the_next_launch(
    client: Client, later: Later, remote: Vendor
) -> None:
    remote.errors["get_member"] = Rejected(RejectReason.MEMBER_NOT_FOUND)
    remote.members.clear()
    html_of(client, later())
    assert Launch.objects.get(cart_id="cart-2").member_ref == ""
