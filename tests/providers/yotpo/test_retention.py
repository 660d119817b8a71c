"""What the adapter keeps besides the journal is forgotten, and no erased member is named."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from providers.errors import Rejected
from providers.journal.models import Write, WriteKind, WriteState
from providers.yotpo.models import Enrolment
from providers.yotpo.provider import YotpoProvider
from tests.providers.contract_setup import erase_member, forget_old
from tests.providers.yotpo.build import TEN_OFF, make_intent, make_order

OLD = datetime(2024, 1, 1, tzinfo=UTC)
BEFORE = datetime(2024, 1, 2, tzinfo=UTC)


def kept(kind: WriteKind) -> set[str]:
    return set(Write.objects.filter(kind=kind).values_list("key", flat=True))


def test_what_is_over_goes_and_what_is_under_way_or_young_stays(provider: YotpoProvider, mia: str) -> None:
    used, held = make_intent(mia, key="used"), make_intent(mia, key="held")
    order = make_order(mia, provider.spend(used))
    provider.confirm(order.spends[0], order)
    provider.record_order(order)
    provider.release_part(order.spends[0], 5, "return-1")
    provider.get_member(mia)  # the history shows that the held points are gone
    provider.spend(held)
    Write.objects.update(changed_at=OLD)
    provider.spend(make_intent(mia, TEN_OFF, 200, key="young"))
    hours_ago = timezone.now() - timedelta(hours=2)
    Enrolment.objects.create(program="acme", member_ref="m:x", enrolled_at=hours_ago)

    assert forget_old(provider, BEFORE) == 2 + 1 + 1  # a spend with its part, an order, an enrolment
    assert kept(WriteKind.SPEND) == {"held", "young"}
    assert not Enrolment.objects.exists()


@pytest.mark.parametrize("state", [WriteState.SENT, WriteState.DONE])
def test_a_member_with_a_redemption_under_way_is_not_erased(
    provider: YotpoProvider, mia: str, state: WriteState
) -> None:
    provider.spend(make_intent(mia))
    Write.objects.update(state=state)

    with pytest.raises(Rejected):
        erase_member(provider, mia, "ERASED-1")
    assert Write.objects.get().member_ref == mia


def test_a_hold_whose_order_was_sent_names_the_member_no_more(provider: YotpoProvider, mia: str) -> None:
    order = make_order(mia, provider.spend(make_intent(mia)))
    provider.confirm(order.spends[0], order)
    provider.record_order(order)

    assert erase_member(provider, mia, "ERASED-1") == 2
    assert set(Write.objects.values_list("member_ref", "exclusive_key")) == {("ERASED-1", "")}
