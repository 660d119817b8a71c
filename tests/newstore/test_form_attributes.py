"""A customer's extended attributes lie flat in formData, under names that the retailer chose."""

import json

import pytest

from loyaltyview.newstore.launch import read_posted


@pytest.mark.parametrize(
    "attribute",
    [
        {"items": "two open repairs"},
        {"currency": "Euro"},
        {"selectedCoupons": "none"},
        {"cartTotal": "12,50"},
        {"remainingAmount": "12.50"},
    ],
)
def test_a_customers_attribute_named_like_a_cart_field_does_not_refuse_the_profile(
    attribute: dict[str, str],
) -> None:
    form = {"profileId": "NS-1", "associateId": "a-17", "storeId": "US_BOSTON_01", "cartId": "", **attribute}
    context = read_posted(json.dumps({"contextProps": {"formData": form}, "externalIdentity": "ours"}))
    assert context.profile_id == "NS-1"
    assert not context.has_cart
