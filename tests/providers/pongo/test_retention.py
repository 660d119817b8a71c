"""Old pass codes are deleted after their time, and when a customer is erased."""

from datetime import UTC, datetime

import pytest

from providers.pongo.members import forget_pass, forget_passes
from providers.pongo.models import PassCode

pytestmark = pytest.mark.django_db

OLD = datetime(2024, 1, 1, tzinfo=UTC)
BEFORE = datetime(2024, 1, 2, tzinfo=UTC)
YOUNG = datetime(2024, 1, 3, tzinfo=UTC)


def test_a_pass_without_recent_deliveries_is_deleted() -> None:
    for number, at in enumerate((OLD, YOUNG)):
        PassCode.objects.create(program="acme", customer_id=str(number), sealed_phone="x", changed_at=at)
    assert forget_passes(BEFORE) == 1
    assert PassCode.objects.get().customer_id == "1"


def test_an_erasure_deletes_the_customers_pass() -> None:
    for ref in ("cust_mia", "cust_ana"):
        PassCode.objects.create(program="acme", customer_id=ref, sealed_phone="x")
    assert forget_pass("acme", "cust_mia") == 1
    assert PassCode.objects.get().customer_id == "cust_ana"
