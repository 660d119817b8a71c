"""The points of each of the engine's events would be a call of their own: the history is what we did."""

from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.whitelabel.build import order, points_intent, returned, reward_intent, voucher_intent


def told(provider: WhiteLabelProvider, ref: str) -> list[tuple[int, str]]:
    return [(line.points, line.text) for line in provider.get_history(ref).movements]


def test_a_purchase_of_a_reward_and_a_voucher_are_named(
    provider: WhiteLabelProvider, mia: str, whole_voucher: dict[str, str]
) -> None:
    provider.spend(reward_intent(mia))
    provider.spend(voucher_intent(mia, whole_voucher["id"], "key-2"))
    assert told(provider, mia) == [(0, "Redeemed: $10 birthday voucher"), (-100, "Redeemed: $5 off")]


def test_points_that_a_refund_paid_for_a_return_did_not_come_back(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.record_order(order(mia))
    spend = provider.spend(points_intent(mia, 890))
    provider.record_return(returned(mia, "80.00"))
    provider.release(spend)
    lines = told(provider, mia)
    assert lines == [(-10, "Return"), (-70, "Redeemed and given back: Points as money"), (80, "Purchase")]
    assert sum(points for points, _text in lines) == vendor.state.points[mia] - 820
