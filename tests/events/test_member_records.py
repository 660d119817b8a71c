"""What we know of a member's orders and returns, for the page of their points history."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from loyaltyview.events.models import Earning, Order, ReturnKind, ReturnRecord, ReturnState
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.member_records import Records, Wanted, read_records
from loyaltyview.redemptions.models import Redemption, State
from providers.movements import Ending

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def order(program: Program, order_id: str, day: int = 0, **fields: Any) -> Order:
    given = {"member_ref": "mia", "placed_at": NOON + timedelta(days=day), "currency": "USD"}
    return Order.objects.create(
        program=program, order_id=order_id, external_id=f"ACM-{order_id}", **{**given, **fields}
    )


def came_back(program: Program, return_id: str, order_id: str, **fields: Any) -> ReturnRecord:
    given = {"returned_at": NOON, "currency": "USD", "amount": Decimal("20.0000")}
    return ReturnRecord.objects.create(
        program=program, return_id=return_id, order_id=order_id, **{**given, **fields}
    )


def found(program: Program, **wanted: Any) -> Records:
    return read_records(Wanted(program=program, member_ref="mia", **wanted))


def test_the_orders_of_a_period_and_those_that_are_named_are_found(program: Program) -> None:
    for day in range(3):
        order(program, f"o-{day}", day)
    order(program, "web", 9, member_ref="")
    order(program, "of-ana", 1, member_ref="ana")
    wanted = {"since": NOON + timedelta(hours=1), "until": NOON + timedelta(days=1)}
    records = found(program, order_ids={"web"}, **wanted)
    assert sorted(own.order_id for own in records.sales) == ["o-1", "web"]
    assert records.sales[0].number == "ACM-o-1"


@pytest.mark.parametrize(
    ("fields", "is_open", "earns_nothing"),
    [
        ({"earning": Earning.WAITING}, True, False),
        ({"earning": Earning.WAITING, "cancelled_seen_at": NOON}, False, False),
        ({"earning": Earning.NOTHING}, False, True),
        ({"earning": Earning.EARNED, "earned_points": 0}, False, True),
        ({"earning": Earning.EARNED, "earned_points": None, "earned_at": NOON}, False, False),
    ],
)
def test_an_order_says_where_its_points_stand(
    program: Program, fields: dict[str, Any], is_open: bool, earns_nothing: bool
) -> None:
    order(program, "o-1", earn_base=Decimal("80.0000"), **fields)
    (own,) = found(program).sales
    assert (own.is_open, own.earns_nothing, str(own.total.amount)) == (is_open, earns_nothing, "80.00")


def test_returns_are_those_of_the_members_orders(program: Program) -> None:
    order(program, "o-1")
    came_back(program, "r-1", "o-1", state=ReturnState.PARKED)
    came_back(program, "r-2", "o-9")
    came_back(program, "r-4", "o-1", kind=ReturnKind.APPEASEMENT)
    came_back(program, "r-3", "o-1", returned_at=NOON + timedelta(days=9))
    (own,) = found(program, until=NOON + timedelta(days=1)).returns
    assert (own.return_id, own.is_open, str(own.refund.amount)) == ("r-1", True, "20.00")


def test_a_redemption_names_its_order_and_one_that_was_refused_is_left_out(
    program: Program, redemption: Redemption
) -> None:
    order(program, "o-7", member_ref="", placed_at=timezone.now())
    Redemption.objects.update(order_id="o-7", state=State.USED)
    records = found(program)
    assert [(own.title, own.ending, str(own.saving.amount)) for own in records.redemptions] == [
        ("$10 off", Ending.DONE, "10.00")
    ]
    assert [own.order_id for own in records.sales] == ["o-7"]
    Redemption.objects.update(state=State.REFUSED, refusal="OUT_OF_STOCK")
    assert found(program) == Records()


def test_a_named_redemption_of_another_member_is_not_told(program: Program, redemption: Redemption) -> None:
    Redemption.objects.update(member_ref="ana")
    assert found(program, redemption_ids={redemption.pk}).redemptions == ()


def test_records_are_read_by_the_members_indexes(program: Program, redemption: Redemption) -> None:
    Order.objects.bulk_create(
        Order(program=program, order_id=f"o-{n}", member_ref=f"m-{n}", placed_at=NOON) for n in range(300)
    )
    for number in range(300):
        redemption.pk, redemption.key, redemption.member_ref = uuid4(), f"key-{number}", f"m-{number}"
        redemption.save(force_insert=True)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    mine = Order.objects.filter(program=program, member_ref="mia", placed_at__lte=NOON)
    assert "order_of_member" in mine.order_by("-placed_at")[:200].explain()
    until = timezone.now() + timedelta(days=1)
    newest = Redemption.objects.filter(program=program, member_ref="mia", requested_at__lte=until)
    assert "redemption_of_member" in newest.order_by("-requested_at")[:200].explain()
