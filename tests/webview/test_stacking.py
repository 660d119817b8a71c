"""The same reward in one cart: once, or as often as the program allows."""

from django.test import Client

from loyaltyview.programs import program_cache
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption

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
