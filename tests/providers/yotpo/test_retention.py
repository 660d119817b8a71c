"""Finished redemptions and refunds are forgotten when their time is over, those under way never."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from providers.errors import Rejected
from providers.yotpo.models import Enrolment, PartRelease, Refund, Spend, SpendState
from providers.yotpo.retention import erase_member, forget_old

pytestmark = pytest.mark.django_db

OLD = datetime(2024, 1, 1, tzinfo=UTC)
BEFORE = datetime(2024, 1, 2, tzinfo=UTC)
YOUNG = datetime(2024, 1, 3, tzinfo=UTC)


def spend(key: str, state: SpendState, at: datetime = OLD, confirmed_at: datetime | None = None) -> Spend:
    return Spend.objects.create(
        program="acme", key=key, state=state, member_ref="id:mia", kind="reward", option_id="1", points=100,
        code=key, asked_at=at, confirmed_at=confirmed_at, order_sent_at=confirmed_at,
    )  # fmt: skip


def test_what_is_over_goes_and_what_is_under_way_or_young_stays() -> None:
    for state in (SpendState.TAKEN, SpendState.RELEASED, SpendState.VOID):
        spend(f"old-{state}", state)
    gone = spend("old-ordered", SpendState.HELD, confirmed_at=OLD)
    PartRelease.objects.create(spend=gone, key="return-1", points=5, sent_at=OLD)
    spend("asked", SpendState.ASKED)
    spend("held", SpendState.HELD)
    spend("young", SpendState.TAKEN, at=YOUNG)
    going_back = spend("part-on-its-way", SpendState.TAKEN)
    PartRelease.objects.create(spend=going_back, key="return-2", points=5)
    for number, sent_at in enumerate((OLD, YOUNG, None)):
        Refund.objects.create(
            program="acme", order_id="o", refund_id=str(number), amount_cents=1, sent_at=sent_at
        )
    Enrolment.objects.create(
        program="acme", member_ref="m:x", enrolled_at=timezone.now() - timedelta(hours=2)
    )
    assert forget_old(BEFORE) == 4 + 1 + 1 + 1  # spends, a part, a refund, an enrolment
    assert set(Spend.objects.values_list("key", flat=True)) == {"asked", "held", "young", "part-on-its-way"}
    assert set(Refund.objects.values_list("refund_id", flat=True)) == {"1", "2"}
    assert not Enrolment.objects.exists()


@pytest.mark.parametrize("state", [SpendState.ASKED, SpendState.HELD])
def test_a_member_with_a_redemption_under_way_is_not_erased(state: SpendState) -> None:
    spend("key", state)
    with pytest.raises(Rejected):
        erase_member("acme", "id:mia", "ERASED-1")
    assert Spend.objects.get().member_ref == "id:mia"
