"""Rows of the former tables go on as they were: each kind in each state."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.utils import timezone
from pytest_django import Settings

from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.errors import OutcomeUnknown, Rejected, Unavailable
from providers.journal.models import Write, WriteKind, WriteState
from providers.sales import Finding, PointsChange, Spend, SpendIntent, SpendKind
from providers.yotpo.provider import YotpoProvider
from providers.yotpo.refs import identity_of
from tests.providers.contract_setup import erase_member, forget_old
from tests.providers.journal.carried_over import former_tables
from tests.providers.yotpo.build import (
    ANA,
    FIFTEEN_PERCENT,
    FIVE_OFF,
    TEN_OFF,
    make_intent,
    make_order,
    make_return,
    points_of,
)

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def carry(before: str = "0005_spends_know_what_was_before", **tables: list[dict[str, Any]]) -> None:
    """Write rows into the former tables, and migrate."""
    with former_tables("yotpo", before) as model:
        for name, rows in tables.items():
            for row in rows:
                if name == "PartRelease":
                    row = row | {"spend": model("Spend").objects.get(key=row["spend"])}
                else:
                    row = row | {"program": "acme"}
                model(name).objects.create(**row)


def row_of(intent: SpendIntent, state: str, **columns: Any) -> dict[str, Any]:
    return {
        "key": intent.key,
        "state": state,
        "member_ref": intent.member_ref,
        "kind": intent.kind.value,
        "option_id": intent.item_id,
        "is_delayed": intent.item_id == FIVE_OFF,
        "is_custom": intent.item_id == TEN_OFF,
        "points": intent.points,
        "asked_at": AT,
        **columns,
    }


def standing(intent: SpendIntent, spend: Spend, state: str, **columns: Any) -> dict[str, Any]:
    """Return the former row of what `spend` made."""
    made = {"code": spend.provider_ref, "redemption_id": spend.memo["redemption_id"]}
    return row_of(intent, state, **made, **columns)


def make(provider: YotpoProvider, member_ref: str, option: str, points: int) -> tuple[SpendIntent, Spend]:
    """Redeem at the vendor, and keep no row of it."""
    intent = make_intent(member_ref, option, points)
    spend = provider.spend(intent)
    Write.objects.all().delete()
    return intent, spend


def test_spends_in_every_state_are_found_as_before(provider: YotpoProvider, mia: str) -> None:
    intents = {name: make_intent(mia, key=name) for name in ("held", "ordered", "released", "void", "lost")}
    intents |= {name: make_intent(mia, TEN_OFF, 200, key=name) for name in ("taken", "unsent")}
    code = {"code": "LOY-1", "redemption_id": "17"}
    now = timezone.now()
    carry(
        Spend=[
            row_of(intents["held"], "held", **code),
            row_of(intents["ordered"], "held", code="LOY-2", order_sent_at=now, confirmed_at=now),
            row_of(intents["taken"], "taken", code="TEN-1"),
            row_of(intents["released"], "released", code="LOY-3"),
            row_of(intents["void"], "void"),
            row_of(intents["lost"], "asked"),
            row_of(intents["unsent"], "asked"),
        ]
    )
    assert points_of(provider, mia) == (820 - 200, 100)
    found = {name: provider.find_spend(intent) for name, intent in intents.items()}
    happened = {name: each.spend for name, each in found.items() if each.finding is Finding.HAPPENED}
    assert set(happened) == {"held", "ordered", "taken"}
    assert {each.finding for name, each in found.items() if name not in happened} == {Finding.DID_NOT}
    assert [each.is_held for each in happened.values() if each] == [True, True, False]
    assert happened["held"]
    assert (happened["held"].provider_ref, happened["held"].memo["redemption_id"]) == ("LOY-1", "17")
    for name in ("released", "void", "lost", "unsent"):
        with pytest.raises(Rejected):
            provider.spend(intents[name])
    assert not provider.spend(make_intent(mia)).is_held  # one is held already


def test_two_holds_of_one_member_both_stay(provider: YotpoProvider, mia: str) -> None:
    intents = [make_intent(mia), make_intent(mia)]
    carry(Spend=[row_of(each, "held", code=f"LOY-{each.key}") for each in intents])
    assert points_of(provider, mia) == (620, 200)
    assert sorted(Write.objects.values_list("exclusive_key", flat=True)) == ["", f"hold {mia}"]
    with pytest.raises(Rejected):
        erase_member(provider, mia, "ERASED-1")


def test_a_redemption_whose_answer_was_lost_is_found_by_its_new_code(
    provider: YotpoProvider, mia: str
) -> None:
    (_, old), (intent, new) = (make(provider, mia, TEN_OFF, 200) for _ in range(2))
    unknown = make_intent(mia, TEN_OFF, 200)
    carry(
        Spend=[
            row_of(intent, "asked", codes_before=[old.provider_ref]),
            row_of(unknown, "asked", codes_before=False),
        ]
    )
    assert provider.find_spend(unknown).finding is Finding.CANNOT_TELL
    found = provider.find_spend(intent)
    assert found.spend
    assert found.spend.provider_ref == new.provider_ref


def test_a_redemption_that_may_still_arrive_is_not_denied(provider: YotpoProvider, mia: str) -> None:
    intent = make_intent(mia, TEN_OFF, 200)
    with time_machine.travel(AT, tick=False):
        carry(Spend=[row_of(intent, "asked", codes_before=[])])
        assert provider.find_spend(intent).finding is Finding.CANNOT_TELL
        with pytest.raises(OutcomeUnknown):
            provider.spend(intent)
    with time_machine.travel(AT + timedelta(minutes=4)):
        assert provider.find_spend(intent).finding is Finding.DID_NOT


def test_points_come_back_once_and_parts_with_them(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    coupon, spend = make(provider, mia, TEN_OFF, 200)
    percent, other = make(provider, mia, FIFTEEN_PERCENT, 400)
    carry(
        Spend=[
            standing(coupon, spend, "taken"),
            standing(percent, other, "taken", confirmed_at=AT, returning_at=AT),
        ],
        PartRelease=[
            {"spend": percent.key, "key": "return-1", "points": 30, "returning_at": AT, "sent_at": AT},
            {"spend": percent.key, "key": "return-2", "points": 20, "returning_at": timezone.now()},
            {"spend": percent.key, "key": "return-3", "points": 10},
        ],
    )
    yotpo.books.add_points(yotpo.books.customers[0], 30, "Reward returned", earned=False)
    provider.release(spend)
    for key in ("return-1", "return-3"):
        provider.release_part(other, 30, key)
    with pytest.raises(Unavailable):  # it may still arrive
        provider.release_part(other, 20, "return-2")
    with time_machine.travel(timezone.now() + timedelta(minutes=4)):
        provider.release_part(other, 20, "return-2")
        provider.release(other)
        provider.release_part(other, 20, "return-4")
    assert points_of(provider, mia) == (820, 0)


def test_an_order_takes_the_held_points(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    intent, spend = make(provider, mia, FIVE_OFF, 100)
    carry(Spend=[standing(intent, spend, "held")])
    order = make_order(mia, spend)
    provider.confirm(spend, order)
    provider.record_order(order)
    assert yotpo.books.orders["order-1"].body["coupon_code"] == spend.provider_ref
    assert points_of(provider, mia) == (720 + 100, 0)


def test_orders_and_refunds_go_on_as_they_were(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    provider.record_order(make_order(mia, order_id="order-1"))
    provider.record_return(make_return(mia, "20.00", "r-1"))
    Write.objects.all().delete()
    now = timezone.now()
    carry(
        SentOrder=[
            {"order_id": "order-1", "begun_at": AT, "sent_at": AT},
            {"order_id": "lost", "begun_at": now},
        ],
        Refund=[
            {"order_id": "order-1", "refund_id": "r-1", "amount_cents": 2000, "sent_at": AT},
            {"order_id": "order-1", "refund_id": "r-2", "amount_cents": 1001},
            {"order_id": "order-0", "refund_id": "cancelled-order-0", "amount_cents": 5, "sent_at": AT},
        ],
    )
    order = make_order(mia, order_id="order-1", base="1.00")
    assert provider.record_order(order) == provider.cancel_order(make_order(mia, order_id="order-0"))
    assert yotpo.books.orders["order-1"].total_cents == 8000  # it was not sent again
    with pytest.raises(Unavailable):  # its order may still arrive
        provider.cancel_order(make_order(mia, order_id="lost"))
    provider.record_return(make_return(mia, "99.00", "r-2"))
    provider.cancel_order(make_order(mia, order_id="order-1"))
    refunds = {"r-1": 2000, "r-2": 1001, "cancelled-order-1": 4999}
    assert yotpo.books.orders["order-1"].refunds == refunds
    assert provider.record_return(make_return(mia, "1.00", "r-3")) == PointsChange(points=0)


def test_old_rows_are_forgotten_and_those_under_way_are_not(provider: YotpoProvider, mia: str) -> None:
    held, taken, parted = (make_intent(mia, key=key) for key in ("held", "taken", "parted"))
    carry(
        Spend=[
            row_of(held, "held", code="LOY-1"),
            row_of(taken, "taken", code="LOY-2", confirmed_at=AT),
            row_of(parted, "taken", code="LOY-3", confirmed_at=AT),
        ],
        PartRelease=[{"spend": "parted", "key": "r", "points": 1}],
        SentOrder=[{"order_id": "old", "begun_at": AT, "sent_at": AT}, {"order_id": "lost", "begun_at": AT}],
        Refund=[{"order_id": "old", "refund_id": "r", "amount_cents": 1, "sent_at": AT}],
    )
    assert forget_old(provider, AT + timedelta(days=1)) == 3
    kinds = (WriteKind.SPEND, WriteKind.SALE)
    kept = Write.objects.filter(kind__in=kinds).values_list("key", flat=True)
    assert set(kept) == {"held", "parted", "lost"}


def test_a_finished_redemption_of_an_erased_member_names_nobody(provider: YotpoProvider, mia: str) -> None:
    carry(Spend=[row_of(make_intent(mia), "taken", code="LOY-1")])
    assert erase_member(provider, mia, "ERASED-1") == 1
    assert Write.objects.get().member_ref == "ERASED-1"


def test_a_redemption_from_before_refs_were_hashes_names_its_member(settings: Settings) -> None:
    key = Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [key]
    info = b"yotpo member ref:acme"
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(base64.urlsafe_b64decode(key))
    cipher = base64.urlsafe_b64encode(AESSIV(derived).encrypt(ANA.encode(), None)).decode().rstrip("=")
    intent = make_intent(f"m:{cipher}", kind=SpendKind.POINTS)
    carry("0002_ref_keys", Spend=[row_of(intent, "taken", code="LOY-1", confirmed_at=AT)])
    row = Write.objects.get()
    assert (row.state, row.confirmed_at, row.item_kind) == (WriteState.DONE, AT, "points")
    assert identity_of("acme", row.member_ref) == {"customer_email": ANA}
