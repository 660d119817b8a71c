"""Customers whom the page knows by the loyalty id in their NewStore profile earn without redeeming, too."""

from typing import Any

import pytest

from .conftest import Deliver, Work
from .deliveries import completed, order
from .vendor import Books


@pytest.mark.parametrize(
    ("email", "profile_id", "points"),
    [
        (None, "NS-US-01", 90),  # enrolled by phone
        ("mia@work.test", "NS-US-01", 90),  # another address at the till than in the program
        ("twins@example.test", "NS-US-01", 90),
        (None, "NS-US-02", 0),
        (None, None, 0),
    ],
)
def test_the_loyalty_id_in_the_customers_profile_earns(
    email: Any, profile_id: Any, points: int, deliver: Deliver, work: Work, books: Books
) -> None:
    books.emails = {"L-42": ("mia",), "twins@example.test": ("one", "two")}
    books.loyalty_ids = {"NS-US-01": "L-42"}
    deliver("order.opened", order(customer_email=email, customer_id=profile_id))
    deliver("order.completed", completed())
    work(2)
    assert books.points("mia") == points
    assert len(books.entries) == (1 if points else 0)


def test_an_email_that_one_member_has_needs_no_profile(deliver: Deliver, work: Work, books: Books) -> None:
    books.emails["L-42"] = ("somebody",)
    books.loyalty_ids = {"NS-US-01": "L-42"}
    deliver("order.opened", order())
    deliver("order.completed", completed())
    work(2)
    assert books.points("mia") == 90
