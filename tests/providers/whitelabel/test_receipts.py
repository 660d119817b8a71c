"""Sales as orders to Receipts, which reports them to the engine: told once, and points come by its event."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from loyaltyview.sandbox.vendors.whitelabel.state import ORDER_PLACED
from providers.dates import timestamp
from providers.errors import OutcomeUnknown, Rejected, SettingsError, Unavailable
from providers.sales import PointsChange
from providers.types import Consents, MemberProfile
from providers.whitelabel.provider import WhiteLabelProvider
from providers.whitelabel.settings import Settings
from tests.providers.whitelabel.build import CART, order, returned, reward_intent
from tests.providers.whitelabel.conftest import Build, LoseAnswers

SUBMITTED = {"submitter": {"authIdentifier": "auth0|mia"}}


@pytest.fixture
def receipts(build: Build, address: str) -> WhiteLabelProvider:
    return build(sales="receipts", receipts_url=f"{address}/receipts/v1")


def test_a_sale_is_an_order_that_the_members_login_submits(
    receipts: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    spend = receipts.spend(reward_intent(mia))
    sale = order(mia, "80.50", spends=(spend,))
    assert receipts.record_order(sale) == PointsChange(points=80)
    assert receipts.record_order(sale) == PointsChange(points=80)
    (placed,) = vendor.receipts.orders
    assert {name: value for name, value in placed.items() if name != "id"} == {
        **SUBMITTED,
        "externalId": "order-1",
        "placedAt": timestamp(sale.placed_at),
        "total": 80.5,
        "currency": "USD",
        "venueIdentifier": "boston-1",
        "cashierIdentifier": "a-17",
        "items": [{"sku": "SHIRT-01", "quantity": 1, "price": 80.5}],
        "discounts": [{"benefitId": spend.provider_ref}],
        "metadata": {"source": "LoyaltyView", "requestId": "sale-order-1"},
    }
    assert not vendor.state.events_of("TRANSACTION")


def test_an_order_whose_answer_was_lost_is_told_once(
    receipts: WhiteLabelProvider, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers
) -> None:
    with lose_answers(), pytest.raises(OutcomeUnknown):
        receipts.record_order(order(mia))
    assert receipts.record_order(order(mia)) == PointsChange(points=80)
    assert len(vendor.receipts.orders) == 1
    assert vendor.state.points[mia] == 900


def test_an_order_that_never_arrived_is_told_again_only_when_it_cannot_come_any_more(
    receipts: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    receipts.get_member(mia)
    vendor.faults.loses_requests = vendor.faults.writes_only = True
    with pytest.raises(OutcomeUnknown):
        receipts.record_order(order(mia))
    vendor.faults.loses_requests = vendor.faults.writes_only = False
    with pytest.raises(Unavailable):
        receipts.record_order(order(mia))
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert receipts.record_order(order(mia)) == PointsChange(points=80)
    assert len(vendor.receipts.orders) == 1


def test_an_event_that_does_not_say_whose_order_it_is_is_left_to_a_person(
    receipts: WhiteLabelProvider, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers, later: None
) -> None:
    vendor.receipts.tells_metadata = False
    with lose_answers(), pytest.raises(OutcomeUnknown):
        receipts.record_order(order(mia))
    with pytest.raises(Unavailable):
        receipts.record_order(order(mia))
    assert len(vendor.receipts.orders) == 1


def test_an_older_order_without_our_id_keeps_nothing_from_being_told_again(
    receipts: WhiteLabelProvider, vendor: WhiteLabel, mia: str, later: None
) -> None:
    user = vendor.state.users[mia]
    vendor.state.emit(ORDER_PLACED, user, {"total": 10})  # of the web shop
    vendor.faults.loses_requests = vendor.faults.writes_only = True
    with pytest.raises(OutcomeUnknown):
        receipts.record_order(order(mia))
    vendor.faults.loses_requests = vendor.faults.writes_only = False
    assert receipts.record_order(order(mia)) == PointsChange(points=80)


def test_points_come_with_the_event_and_a_return_takes_them_back_by_the_engine(
    receipts: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    vendor.state.reaction_delay_s = 3600
    assert receipts.record_order(order(mia)) == PointsChange(points=None)
    vendor.state.reaction_delay_s = 0
    assert receipts.record_return(returned(mia, "20.00")) == PointsChange(points=-20)
    assert receipts.cancel_order(order(mia)) == PointsChange(points=-60)
    assert vendor.state.points[mia] == 820


def test_a_member_without_a_login_is_named_by_their_id(
    receipts: WhiteLabelProvider, vendor: WhiteLabel
) -> None:
    noor = receipts.enrol(MemberProfile(email="noor@example.test", first_name="Noor"), Consents())
    assert receipts.record_order(order(noor.ref)) == PointsChange(points=80)
    assert vendor.receipts.orders[0]["submitter"] == {"authIdentifier": noor.ref}


def test_a_tenant_that_takes_logins_only_refuses_the_order_of_a_member_without_one(
    receipts: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    vendor.receipts.takes_user_ids = False
    vendor.state.users[mia]["authIdentifier"] = None
    with pytest.raises(Rejected):
        receipts.record_order(order(mia))
    vendor.state.users[mia]["authIdentifier"] = "auth0|mia"  # the member has logged in
    assert receipts.record_order(order(mia)) == PointsChange(points=80)


def test_a_tenant_without_receipts_refuses_and_may_be_asked_again(
    receipts: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    vendor.receipts.is_enabled = False
    with pytest.raises(Rejected):
        receipts.record_order(order(mia))
    vendor.receipts.is_enabled = True
    assert receipts.record_order(order(mia)) == PointsChange(points=80)


def test_the_tenants_own_places_are_used(build: Build, address: str, vendor: WhiteLabel, mia: str) -> None:
    names = {"receipt_associate": "", "receipt_store": "metadata.venue", "receipt_discounts": ""}
    provider = build(sales="receipts", receipts_url=f"{address}/receipts/v1", names=names)
    provider.record_order(order(mia))
    (placed,) = vendor.receipts.orders
    assert placed["metadata"] == {"source": "LoyaltyView", "requestId": "sale-order-1", "venue": "boston-1"}
    assert not {"cashierIdentifier", "discounts", "venueIdentifier"} & set(placed)


def test_what_an_order_would_earn_cannot_be_tried(receipts: WhiteLabelProvider, mia: str) -> None:
    assert receipts.preview_earn(mia, CART) is None


@pytest.mark.parametrize(
    ("base_url", "receipts"),
    [
        ("https://api.rewards.wlloyalty.net/v1", "https://api.receipts.wlloyalty.net/v1"),
        ("https://api.rewards.us.wlloyalty.net/v1", "https://api.receipts.us.wlloyalty.net/v1"),
        ("https://api.staging.rewards.wlloyalty.net/v1", "https://api.staging.receipts.wlloyalty.net/v1"),
    ],
)
def test_receipts_is_the_one_of_the_same_environment(base_url: str, receipts: str) -> None:
    needed = {"api_key": "k", "client_id": "i", "client_secret": "s"}
    consents = {"consent_email_type": "e", "consent_sms_type": "s"}
    assert Settings.read({**needed, **consents, "base_url": base_url}).receipts_api == receipts


def test_an_address_without_a_known_receipts_api_is_refused_when_it_is_saved(build: Build) -> None:
    with pytest.raises(SettingsError) as caught:
        build(sales="receipts")
    assert caught.value.key == "receipts_url"
