"""Renamed fields are read under their new names, and plain texts are still read."""

from loyaltyview.newstore.coupon_list import API
from loyaltyview.newstore.data_query import NAMES
from loyaltyview.newstore.launch import KEYS, keys_of, read_query
from loyaltyview.programs.models import Program
from loyaltyview.programs.rules import COUPON_API, DATA_QUERY, LAUNCH_KEYS

from .test_launch import CART, query


def test_a_plain_text_coupon_needs_no_name() -> None:
    keys = keys_of(Program(newstore_launch_keys={"coupon_code": "promoCode"}))
    read = read_query(query({**CART, "selectedCoupons": ["SUMMER", {"promoCode": "WINTER"}]}), keys)
    assert read.selected_coupons == ("SUMMER", "WINTER")


def test_every_name_of_the_coupon_list_and_of_the_launch_can_be_changed() -> None:
    assert set(API) == COUPON_API
    assert set(NAMES) == DATA_QUERY
    assert set(KEYS) == LAUNCH_KEYS
