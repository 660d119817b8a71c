"""Two tills at once: a member has one open hold."""

import pytest

from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.yotpo.provider import YotpoProvider
from tests.providers.yotpo.build import make_intent, points_of
from tests.races.at_once import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_of_many_redemptions_at_once_one_is_held(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    intents = [make_intent(mia) for _ in range(5)]
    provider.list_rewards(mia, intents[0].cart)
    spends = at_once([lambda intent=intent: provider.spend(intent) for intent in intents])  # type: ignore[misc]

    assert sorted(spend.is_held for spend in spends) == [False] * 4 + [True]
    assert "cancelled" not in {each.state for each in yotpo.books.redemptions.values()}
    assert points_of(provider, mia) == (820 - 500, 100)
