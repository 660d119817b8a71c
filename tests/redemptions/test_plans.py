"""What the worker, orders and webhooks ask of redemptions is answered by indexes, however many there are."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.cancellation import cancel_spend
from loyaltyview.redemptions.models import Redemption
from loyaltyview.redemptions.orders import use_codes
from loyaltyview.redemptions.recovery import run_one
from tests.plans import plan_of


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda program: run_one(), "redemption_due"),
        (lambda program: cancel_spend(program, provider_ref="ref-1"), "redemption_spend"),
        (lambda program: use_codes(program, order_id="o-1", codes=("LOY1",)), "(id=?)"),
        (lambda program: use_codes(program, order_id="o-1", codes=()), "redemption_order"),
    ],
    ids=["worker", "webhook", "code", "order"],
)
def test_it_is_found_by_an_index(ask: Callable[[Program], object], index: str, program: Program) -> None:
    with CaptureQueriesContext(connection) as asked:
        ask(program)
    table = Redemption._meta.db_table
    plans = [plan_of(each["sql"]) for each in asked.captured_queries if f'FROM "{table}"' in each["sql"]]
    if connection.vendor == "sqlite":  # PostgreSQL's choice depends on how much there is
        assert any(index in plan for plan in plans), plans
    assert not any(f"SCAN {table}" in plan or f"Seq Scan on {table}" in plan for plan in plans)
