"""What may share a cart: the same reward, several codes, kinds of spends, as the program allows."""

import pytest
from django.test import Client

from loyaltyview.programs import program_cache
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption
from loyaltyview.webview import tap_request

from .fakes import MIA, Vendor
from .test_member import card
from .test_redeem import form


def test_the_same_reward_is_not_applied_twice_in_one_cart(client: Client, shown: str, vendor: Vendor) -> None:
    client.post(shown + "redeem/", form())
    found = card(client.get(shown).content.decode(), "ten-off")
    assert 'data-state="locked" data-reason="IN_CART"' in found
    assert "Already in this cart" in found
    response = client.post(shown + "redeem/", form(key="a-second-key-of-it"))
    assert response.status_code == 409
    assert 'data-error="IN_CART"' in response.content.decode()
    assert vendor.members[MIA.ref].balance.spendable == 620
    client.post(f"{shown}undo/{Redemption.objects.get().pk}/")
    assert 'data-state="available"' in card(client.get(shown).content.decode(), "ten-off")


def test_a_program_may_allow_the_same_reward_more_often(
    client: Client, shown: str, program: Program, vendor: Vendor
) -> None:
    Program.objects.update(codes_per_reward=2)
    program_cache.forget()
    statuses = [
        client.post(shown + "redeem/", form(key=f"a-key-of-tap-no-{n}")).status_code for n in range(3)
    ]
    assert statuses == [303, 303, 409]
    assert vendor.members[MIA.ref].balance.spendable == 420


def rule(program: Program, **changes: object) -> None:
    Program.objects.update(**changes)
    program_cache.forget()


def test_a_cart_takes_no_more_codes_than_the_program_allows(
    client: Client, shown: str, program: Program, vendor: Vendor
) -> None:
    rule(program, codes_per_cart=1)
    assert "The program allows 1 code in one cart." in client.get(shown).content.decode()
    client.post(shown + "redeem/", form())
    html = client.get(shown).content.decode()
    assert 'data-reason="CODES_PER_CART"' in card(html, "v-birthday")
    response = client.post(shown + "redeem/", form("v-birthday", kind="voucher", key="key-of-the-voucher"))
    assert response.status_code == 409
    assert 'data-error="CODES_PER_CART"' in response.content.decode()
    assert Redemption.objects.count() == 1


def test_kinds_that_the_program_keeps_apart_say_so_before_the_tap_and_at_it(
    client: Client, shown: str, program: Program, vendor: Vendor
) -> None:
    rule(program, kinds_together=["voucher+voucher"])
    before = client.get(shown).content.decode()
    assert "Not together in one cart: a reward and a voucher." in before
    client.post(shown + "redeem/", form())
    html = client.get(shown).content.decode()
    assert "Not together with $10 off, which is in this cart" in card(html, "v-birthday")
    response = client.post(shown + "redeem/", form("v-birthday", kind="voucher", key="key-of-the-voucher"))
    assert response.status_code == 409
    assert "undo $10 off first" in response.content.decode()
    client.post(f"{shown}undo/{Redemption.objects.get().pk}/")
    again = client.post(shown + "redeem/", form("v-birthday", kind="voucher", key="key-of-the-voucher-2"))
    assert again.status_code == 303


def test_of_several_at_once_only_what_goes_together_is_applied(
    client: Client, shown: str, program: Program, vendor: Vendor
) -> None:
    rule(program, kinds_together=[])
    chosen = {"key": "several-taps-at-once", "chosen": ["voucher:v-birthday", "reward:ten-off"]}
    client.post(shown + "several/", chosen)
    assert Redemption.objects.count() == 1


def test_another_tills_code_counts_between_the_look_and_the_tap(
    client: Client, shown: str, program: Program, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(program, codes_per_cart=1)
    client.post(shown + "redeem/", form())
    # What this till read before the other one applied its code.
    monkeypatch.setattr(tap_request, "lock_at_tap", lambda offer, _rows, _rule: offer)
    client.post(shown + "redeem/", form("v-birthday", kind="voucher", key="key-of-the-voucher"))
    late = Redemption.objects.get(item_id="v-birthday")
    assert (late.state, late.refusal) == ("refused", "CODES_PER_CART")
    assert vendor.calls.count("spend") == 1
