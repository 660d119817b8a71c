"""A person whose address or number only contains that of the member is another person."""

import pytest

from loyaltyview.events.manual_review import has_event
from loyaltyview.events.models import Event, ReturnRecord
from loyaltyview.work.worker import drain

from .conftest import Deliver
from .deliveries import returned
from .test_erasure import erase, mia  # noqa: F401


@pytest.mark.parametrize(
    "who",
    [
        {"customer_email": "tammia@example.test"},
        {"customer_email": "mia@example.test.au"},
        {"customer_email": None, "customer_phone": "+161755501017"},
    ],
)
def test_anothers_blind_return_stays(who: dict[str, str], mia: str, deliver: Deliver) -> None:  # noqa: F811
    deliver("return.processed", returned(45.0, id="blind", order_id=None, **who))
    drain()
    erase(mia, "--yes")
    assert has_event(ReturnRecord.objects.get(return_id="blind"))


def test_a_blind_return_of_the_member_is_deleted(mia: str, deliver: Deliver) -> None:  # noqa: F811
    deliver("return.processed", returned(45.0, id="blind", order_id=None))
    drain()
    erase(mia, "--yes")
    assert not Event.objects.filter(dedupe_key="return.processed:blind").exists()
