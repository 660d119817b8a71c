"""The bytes of the callback to Associate App (docs/contracts/newstore.md 2.1)."""

import pytest

from loyaltyview.newstore.deeplink import handoff_url


def test_handoff_has_the_documented_bytes() -> None:
    url = handoff_url(codes=["LOY-7QK2", "LOY-9XD4"], cart_id="5f0c1d3e", token="0f3af7c3")
    assert url == (
        "com.newstore.associate-one://cart.more.loyaltyProgram/applyCoupons"
        "?coupons[]=LOY-7QK2&coupons[]=LOY-9XD4&cartId=5f0c1d3e&token=0f3af7c3"
    )


def test_codes_are_encoded_and_sent_once_in_their_order() -> None:
    url = handoff_url(codes=["B&B=1", "A é/+", "B&B=1"], cart_id="c", token="t")
    assert url.endswith("?coupons[]=B%26B%3D1&coupons[]=A%20%C3%A9%2F%2B&cartId=c&token=t")


@pytest.mark.parametrize("codes", [[], [""], ["A", ""], [f"C{n}" for n in range(11)]])
def test_empty_and_overlong_lists_are_refused(codes: list[str]) -> None:
    with pytest.raises(ValueError, match="codes"):
        handoff_url(codes=codes, cart_id="c", token="t")
