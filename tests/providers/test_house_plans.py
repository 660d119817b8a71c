"""An order, its cancellation and its returns read the lines of that order, however long the ledger is."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from providers.house import earning
from providers.house.models import EarnRule, Member
from providers.sales import Order, Return
from providers.types import Money
from tests.plans import plan_of

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MONEY = Money(amount=Decimal(90), currency="USD")
SOLD = Order(
    order_id="o-1", external_id="R-1", member_ref="ACME-1", placed_at=NOW, earn_base=MONEY, lines=(),
    spends=(), store="", associate_id="",
)  # fmt: skip
CAME_BACK = Return(
    return_id="r-1", order_id="o-1", member_ref="ACME-1", returned_at=NOW, net=MONEY, order_earn_base=MONEY,
    lines=(), store="",
)  # fmt: skip


@pytest.mark.parametrize(
    ("write", "is_known"),
    [
        (lambda: earning.record_order("acme", "USD", SOLD), False),
        (lambda: earning.record_return("acme", "USD", CAME_BACK), True),
        (lambda: earning.cancel_order("acme", SOLD), True),
    ],
    ids=["order", "return", "cancellation"],
)
def test_no_write_of_an_order_reads_the_whole_ledger(write: Callable[[], object], is_known: bool) -> None:
    EarnRule.objects.create(program="acme", points_per_unit=1, expiry_months=12)
    Member.objects.create(program="acme", member_id="ACME-1", email="mia@example.test")
    if is_known:
        earning.record_order("acme", "USD", SOLD)
    with CaptureQueriesContext(connection) as asked:
        write()
    plans = [plan_of(each["sql"]) for each in asked.captured_queries if 'FROM "house_entry"' in each["sql"]]
    assert plans
    if connection.vendor == "sqlite":  # PostgreSQL's choice depends on how much there is
        assert not any("house_entry_program" in plan or "SCAN house_entry" in plan for plan in plans), plans
    assert not any("Seq Scan on house_entry" in plan for plan in plans), plans
