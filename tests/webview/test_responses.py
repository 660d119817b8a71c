"""Pages of one sentence: the title says the same as the sentence."""

import re

import pytest
from django.test import RequestFactory

from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview.responses import refuse


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("IDENTITY_MISSING", "Log in to see customer data"),
        ("ASSOCIATE_NEEDED", "Log in to see customer data"),
        ("SHIFT_UNVERIFIED", "Log in to see customer data"),
        ("NO_CUSTOMER", "Check the cart"),
        ("CART_UNKNOWN", "Check the cart"),
        ("CART_OTHER_STORE", "Check the cart"),
        ("CART_OTHER_CUSTOMER", "Check the cart"),
        ("NO_SESSION", "Open it again"),
    ],
)
def test_only_what_a_login_helps_against_asks_for_one(rf: RequestFactory, code: str, title: str) -> None:
    html = refuse(rf.get("/"), Refusal[code]).content.decode()
    found = re.search(r"<h1[^>]*>([^<]+)</h1>", html)
    assert found
    assert found.group(1) == title
