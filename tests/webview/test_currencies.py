"""Pages with currencies that have three decimals, or none."""

from decimal import Decimal

import pytest
from django.test import Client

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption

from .conftest import Mint, Open
from .fakes import Vendor
from .test_preview import offers_of
from .test_shown import card_form


@pytest.mark.parametrize(
    ("currency", "total", "saving", "shown"),
    [
        ("KWD", 41.625, "6.244", "KWD\N{NO-BREAK SPACE}6.244"),
        ("JPY", 1999, "300", "\N{YEN SIGN}300"),
        ("USD", 41.63, "6.24", "$6.24"),
    ],
)
def test_a_percentage_is_shown_and_kept_to_the_smallest_unit(
    client: Client,
    program: Program,
    open_page: Open,
    vendor: Vendor,
    newstore: Mint,
    currency: str,
    total: float,
    saving: str,
    shown: str,
) -> None:
    program.currency = currency
    program.save()
    page = open_page(currency=currency, cartTotal=total, items=[])
    html = client.get(page).content.decode()
    assert f"\N{MINUS SIGN}{shown}" in html
    choice = {"chosen": "reward:fifteen-percent", "offers": offers_of(html)}
    assert client.post(page + "preview/", choice).json()["button"] == f"Apply 1 reward, save {shown}"
    client.post(page + "redeem/", card_form(html, "fifteen-percent"))
    assert Redemption.objects.get().saving == Decimal(saving)
    assert shown in client.get(page + "shift/").content.decode()
