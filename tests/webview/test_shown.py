"""What the card said is the most that a tap takes, and the least that it gives; else it is asked again."""

import re
from dataclasses import replace

import pytest
from django.test import Client

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption
from providers.errors import Rejected, RejectReason

from .conftest import Mint, Open
from .fakes import Vendor


def card_form(html: str, reward: str) -> dict[str, str]:
    """Return the fields of a card's own form."""
    card = html.partition(f'data-reward="{reward}"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', card))
    fields.pop("csrfmiddlewaretoken", None)
    return fields


def several_form(html: str, *picks: str) -> dict[str, object]:
    """Return what the form of several sends when these are ticked."""
    fields = re.findall(r'type="hidden" form="several" name="([\w:-]+)" value="([^"]*)"', html)
    key = re.search(r'id="several".*?name="key" value="([^"]+)"', html, re.DOTALL)
    assert key
    return {**dict(fields), "key": key.group(1), "chosen": list(picks)}


def dearer(vendor: Vendor) -> None:
    vendor.rewards = tuple(
        replace(each, points=250) if each.reward_id == "ten-off" else each for each in vendor.rewards
    )


def test_a_reward_that_became_dearer_is_asked_about_again(client: Client, page: str, vendor: Vendor) -> None:
    fields = card_form(client.get(page).content.decode(), "ten-off")
    dearer(vendor)
    response = client.post(page + "redeem/", fields)
    html = response.content.decode()
    assert response.status_code == 409
    assert 'data-error="PRICE_CHANGED"' in html
    assert "spend" not in vendor.calls
    client.post(page + "redeem/", card_form(html, "ten-off"))
    assert Redemption.objects.get().points == 250


def test_a_reward_that_became_cheaper_is_simply_applied(client: Client, page: str, vendor: Vendor) -> None:
    dearer(vendor)
    fields = card_form(client.get(page).content.decode(), "ten-off")
    vendor.rewards = tuple(replace(each, points=200) for each in vendor.rewards)
    client.post(page + "redeem/", fields)
    assert Redemption.objects.get().points == 200


def test_a_discount_that_the_cart_cannot_take_any_more_is_asked_about_again(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint
) -> None:
    page = open_page(cartTotal=20)
    html = client.get(page).content.decode()
    client.post(page + "redeem/", card_form(html, "v-birthday"))
    # The page of before is still open in another tab: it said $10, and $5 are left.
    response = client.post(page + "redeem/", card_form(html, "ten-off"))
    assert response.status_code == 409
    assert 'data-error="CUT"' in response.content.decode()
    assert Redemption.objects.count() == 1
    # The answer's card says what is left, and can be applied.
    client.post(page + "redeem/", card_form(response.content.decode(), "ten-off"))
    assert sorted(row.saving for row in Redemption.objects.all()) == [5, 15]


def test_among_several_a_dearer_one_is_not_applied(client: Client, page: str, vendor: Vendor) -> None:
    fields = several_form(client.get(page).content.decode(), "reward:ten-off", "voucher:v-birthday")
    dearer(vendor)
    response = client.post(page + "several/", fields)
    html = client.get(response["Location"]).content.decode()
    assert 'data-error="PRICE_CHANGED"' in html
    assert Redemption.objects.get().item_id == "v-birthday"


@pytest.mark.parametrize("changes", [{"cost": "-1"}, {"cost": "ten"}, {"saving": "much"}, {"saving": "NaN"}])
def test_values_that_no_card_has_are_refused(client: Client, page: str, changes: dict[str, str]) -> None:
    fields = card_form(client.get(page).content.decode(), "ten-off") | changes
    response = client.post(page + "redeem/", fields)
    assert response.status_code == 422
    assert 'data-error="BAD_REQUEST"' in response.content.decode()
    assert not Redemption.objects.exists()


def test_forms_read_numbers_the_same_way_in_every_language(
    client: Client, page: str, program: Program, vendor: Vendor, french: None
) -> None:
    Program.objects.update(languages=["fr"])
    html = client.get(page).content.decode()
    assert 'lang="fr"' in html
    assert 'name="saving:reward:ten-off" value="10.00"' in html
    client.post(page + "redeem/", card_form(html, "ten-off"))
    assert Redemption.objects.get().saving == 10


def test_points_spent_elsewhere_since_are_named_as_the_gap(client: Client, page: str, vendor: Vendor) -> None:
    fields = card_form(client.get(page).content.decode(), "ten-off")
    vendor.errors["spend"] = Rejected(RejectReason.INSUFFICIENT_POINTS, points_gap=40)
    html = client.post(page + "redeem/", fields).content.decode()
    assert 'data-error="INSUFFICIENT_POINTS"' in html
    assert "40 points more are needed." in html
