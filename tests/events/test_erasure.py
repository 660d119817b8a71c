"""A member is erased on demand: no table names them, and the ledger adds up."""

from datetime import timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from loyaltyview.events.inbox import store_hints, store_unreadable
from loyaltyview.events.models import Alarm, Earning, Event, EventSource, EventState, Order, ReturnRecord
from loyaltyview.events.stored_events import replay
from loyaltyview.newstore.profile_links import link_profile
from loyaltyview.programs.models import Erasure, Program
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.webview.models import ConsentChange, Launch
from loyaltyview.webview.sessions import customer_key
from loyaltyview.work.worker import drain
from providers.errors import Rejected, RejectReason, Unavailable
from providers.house.merging import merge_members
from providers.house.models import Entry, Hold, Member
from providers.house.provider import HouseProvider
from providers.models import MemberChange
from providers.outbound import sharing
from providers.types import WebhookEvent

from .conftest import Deliver
from .deliveries import ORDER, cancelled, completed, item, order, returned
from .house import EMAIL, build_house, spend

PROFILE = "NS-US-01"


@pytest.fixture
def mia(program: Program, deliver: Deliver, redemption: Redemption) -> str:
    """Mia's ref. Mia redeemed, bought, returned a part, and consented to e-mails; the day is over."""
    ref = build_house(program)
    Member.objects.update(first_name="Mia", last_name="Stone", phone="+16175550101")
    redemption.cart["items"] = [["i-1", "TOTE-01", "89.90"]]
    redemption.profile_id = PROFILE
    spend(redemption, ref)
    launch(program, member_ref=ref, is_customer=True)
    launch(program)  # another launch, closed before the member was looked up
    ConsentChange.objects.create(program=program, member_ref=ref, consent="email", answer="yes", way="change")
    for name, payload in (
        ("order.opened", order()),
        ("order.completed", completed()),
        ("return.processed", returned(45.0)),
    ):
        deliver(name, payload)
    drain()
    link_profile(program, member_id="an-older-card", profile_id="", contact=EMAIL, may_replace=False)
    return ref


def launch(program: Program, **changes: object) -> Launch:
    then = timezone.now() - timedelta(hours=5)
    fields = {
        "secret_hash": "x",
        "cart": {"currency": "USD", "total": "129.90", "items": []},
        "created_at": then,
        "expires_at": then + timedelta(hours=1),
        "customer_email": EMAIL,
        "customer_key": customer_key(program, EMAIL),
        "profile_id": PROFILE,
    }
    return Launch.objects.create(program=program, **{**fields, **changes})


def erase(ref: str, *options: str) -> str:
    out = StringIO()
    call_command("erase_member", "--program", "acme", "--member", ref, *options, stdout=out)
    return out.getvalue()


def refusal(ref: str) -> str:
    with pytest.raises(CommandError) as refused:
        erase(ref, "--yes")
    assert not Erasure.objects.exists()
    assert Redemption.objects.filter(member_ref=ref).exists()
    return str(refused.value)


def rows_with(*words: str) -> set[str]:
    """Return the tables that contain one of these words in any case, secrets decrypted."""
    found = set()
    for model in apps.get_models():
        for row in model._base_manager.values():
            text = " ".join(str(bytes(v) if isinstance(v, memoryview) else v) for v in row.values()).lower()
            if any(word.lower() in text for word in words):
                found.add(model._meta.label)
    return found


def test_no_table_names_an_erased_member_and_the_ledger_adds_up(mia: str) -> None:
    words = (mia, EMAIL, PROFILE, "Stone", "6175550101", "TOTE-01")
    assert rows_with(*words) >= {
        "webview.Launch", "webview.ConsentChange", "redemptions.Redemption", "events.Event", "events.Order",
        "newstore.ProfileLink", "house.Member",
    }  # fmt: skip
    lines = list(Entry.objects.order_by("pk").values())
    output = erase(mia, "--yes", "--by", "Dana of data protection")
    assert rows_with(*words) == set()
    assert not Launch.objects.exists()

    erasure = Erasure.objects.get()
    assert erasure.pseudonym in output
    assert erasure.actor == "Dana of data protection"
    assert (erasure.counts["redemptions"], erasure.counts["launches"], erasure.counts["orders"]) == (1, 2, 1)
    # The same pseudonym everywhere: what belongs together still does.
    row, sale, member = Redemption.objects.get(), Order.objects.get(), Member.objects.get()
    assert {row.member_ref, sale.member_ref, member.member_id} == {erasure.pseudonym}
    assert ConsentChange.objects.get().member_ref == erasure.pseudonym
    assert (row.state, row.order_id, row.transitions.count() > 0) == (State.SETTLED, ORDER, True)
    assert list(Entry.objects.order_by("pk").values()) == lines
    assert member.spendable + member.reserved == Entry.objects.aggregate(sum=Sum("points"))["sum"]
    assert Hold.objects.get().member == member


def test_a_merged_cards_number_erases_both_cards(mia: str, program: Program) -> None:
    card = Member.objects.create(program=program.slug, member_id="ACME-2", email="stone@example.test")
    merge_members(program.slug, card.member_id, mia, actor="ada", reason="Mia Stone enrolled twice")
    assert Redemption.objects.get().member_ref == Order.objects.get().member_ref == "ACME-2"
    assert set(Launch.objects.exclude(member_ref="").values_list("member_ref", flat=True)) == {"ACME-2"}
    # Stored a moment later by a tap that began before.
    Redemption.objects.update(member_ref=mia)
    erase(mia, "--yes")
    assert rows_with(mia, "ACME-2", EMAIL, "stone", PROFILE) == set()


def test_without_yes_it_only_counts(mia: str) -> None:
    before = {model._meta.label: list(model._base_manager.values()) for model in apps.get_models()}
    output = erase(mia)
    assert "launches: 2\n" in output
    assert "redemptions: 1\n" in output
    assert "Nothing was changed" in output
    assert {model._meta.label: list(model._base_manager.values()) for model in apps.get_models()} == before


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (State.REVEALED, "in a cart: 1. Undo them in the app, or wait"),
        (State.SPENT, "given back after 40 minutes"),
        (State.STUCK, "need a person: 1. Resolve them first"),
        (State.UNCERTAIN, "under way: 1. Wait for the worker"),
        (State.USED, "under way: 1. Wait for the worker"),
    ],
)
def test_an_open_redemption_is_finished_first(mia: str, state: State, says: str) -> None:
    Redemption.objects.update(state=state)
    assert says in refusal(mia)


def test_an_open_page_an_event_that_waits_and_a_return_to_decide_come_first(mia: str) -> None:
    Launch.objects.filter(member_ref=mia).update(expires_at=timezone.now() + timedelta(minutes=5))
    Event.objects.filter(name="order.opened").update(state=EventState.WAITING)
    ReturnRecord.objects.update(state="parked", why_parked="whole_only")
    output = refusal(mia)
    assert "Open pages about this member: 1" in output
    assert "Waiting events about this member: 1" in output
    assert "Returns that are not decided: 1" in output


def test_what_pages_kept_of_the_member_is_deleted(mia: str) -> None:
    with sharing.sharing("acme", mia, max_age_s=sharing.PAGE_S):
        sharing.keep_fact("may have", ["R1"])
    erase(mia, "--yes")
    assert not MemberChange.objects.exclude(facts="", reads="").exists()


def test_what_the_vendors_adapter_has_under_way_comes_first(
    mia: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: HouseProvider, ref: str, pseudonym: str) -> int:
        raise Rejected(RejectReason.NOT_ALLOWED, "an order of the member waits to be sent")

    monkeypatch.setattr(HouseProvider, "erase_member", refuse)
    assert "an order of the member waits to be sent" in refusal(mia)


def test_a_vendor_that_does_not_answer_does_not_stop_the_erasure(
    mia: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(self: HouseProvider, ref: str) -> None:
        raise Unavailable("down")

    monkeypatch.setattr(HouseProvider, "get_member", down)
    erase(mia, "--yes")
    assert rows_with(mia, EMAIL, PROFILE) == set()  # the launch knew the rest


def test_deliveries_without_an_order_that_name_the_member_are_deleted_and_others_stay(
    program: Program, mia: str
) -> None:
    for number, ref in enumerate((mia, "ACME-SOMEBODY-ELSE")):
        hint = WebhookEvent(event_id=f"{ref}:{number}", name="points_told", member_ref=ref)
        store_hints(program, [hint])
    store_unreadable(program, b'{"customer": "Mia@Example.test"', "cut short")
    erase(mia, "--yes")
    (left,) = Event.objects.filter(source=EventSource.PROVIDER)
    assert left.dedupe_key == "ACME-SOMEBODY-ELSE:1"


def test_a_repeated_delivery_is_still_known_and_says_nothing_new(deliver: Deliver, mia: str) -> None:
    erase(mia, "--yes")
    assert deliver("order.opened", order()) == 200
    assert Event.objects.filter(name="order.opened").count() == 1
    assert rows_with(EMAIL) == set()


def test_a_dead_event_of_an_erased_member_is_no_longer_on_the_worklist(deliver: Deliver, mia: str) -> None:
    Event.objects.filter(name="return.processed").update(state=EventState.DEAD, last_error="Rejected")
    erase(mia, "--yes")
    assert not Event.objects.filter(state=EventState.DEAD).exists()


def test_events_after_the_erasure_change_no_points_and_leave_no_dead_event(
    deliver: Deliver, mia: str
) -> None:
    erase(mia, "--yes")
    lines, standing = Entry.objects.count(), Redemption.objects.values_list("state", "order_id").get()
    deliver("return.processed", returned(45.0, id="return-2"))
    deliver("order.cancelled", cancelled("item-1"))
    again = order(id="exchange-1", is_exchange=True, exchanges=[{"order_id": ORDER, "return_id": "return-2"}])
    deliver("order.opened", again)
    deliver("order.completed", completed(id="exchange-1"))
    drain()
    assert set(Event.objects.filter(name__gt="").values_list("state", flat=True)) <= {"done", "ignored"}
    assert Entry.objects.count() == lines
    assert Redemption.objects.values_list("state", "order_id").get() == standing
    assert Order.objects.get(order_id="exchange-1").earning == Earning.NOTHING


def test_an_order_that_is_not_completed_yet_earns_nothing_any_more(
    deliver: Deliver, program: Program, redemption: Redemption
) -> None:
    ref = build_house(program)
    spend(redemption, ref)
    deliver("order.opened", order())
    drain()
    erase(ref, "--yes")
    deliver("order.completed", completed())
    drain()
    assert Order.objects.get().earning == Earning.NOTHING
    assert not Entry.objects.filter(kind="earn").exists()


def test_a_member_without_data_is_reported_and_leaves_no_line(mia: str) -> None:
    with pytest.raises(CommandError, match="Nothing is kept about this member"):
        erase("ACME-00000000", "--yes")
    with pytest.raises(CommandError, match="There is no program"):
        call_command("erase_member", "--program", "nowhere", "--member", mia)
    assert not Erasure.objects.exists()
    erase(mia, "--yes")
    with pytest.raises(CommandError, match="Nothing is kept about this member"):
        erase(mia, "--yes")


def test_another_member_is_not_erased(program: Program, mia: str) -> None:
    other = launch(program, customer_email="leo@example.test", customer_key="leo", profile_id="NS-US-02")
    Member.objects.create(program="acme", member_id="ACME-LEO", email="leo@example.test")
    erase(mia, "--yes")
    assert Launch.objects.get() == other
    assert Member.objects.filter(member_id="ACME-LEO", email="leo@example.test").exists()


def test_administrators_see_that_a_member_was_erased_and_cannot_change_it(
    mia: str, admin_client: Client
) -> None:
    erase(mia, "--yes", "--by", "dana")
    erasure = Erasure.objects.get()
    listed = admin_client.get("/admin/programs/erasure/").content.decode()
    assert erasure.pseudonym in listed
    assert "dana" in listed
    assert mia not in listed
    assert admin_client.post(f"/admin/programs/erasure/{erasure.pk}/delete/").status_code == 403


def test_an_order_that_earned_nothing_is_found_by_the_members_address_and_not_by_the_associates(
    program: Program, deliver: Deliver
) -> None:
    """One of the web shop, which is not reported; and one that the member served as an associate."""
    ref = build_house(program)
    bare: dict[str, object] = {"discounts": [], "items": [item(discounts=[])]}
    deliver("order.opened", order(id="o-web", channel_type="web", **bare))
    served = {"customer_email": "leo@example.test", "customer_id": "NS-LEO", "associate_email": EMAIL}
    deliver("order.opened", order(id="o-served", channel_type="web", **served, **bare))
    drain()
    erase(ref, "--yes", "--by", "ada")
    assert bytes(Event.objects.get(subject="o-web").payload) == b"{}"
    assert Order.objects.get(order_id="o-web").profile_id == ""
    assert b"leo@example.test" in bytes(Event.objects.get(subject="o-served").payload)
    assert Order.objects.get(order_id="o-served").profile_id == "NS-LEO"


def test_an_order_whose_events_are_deleted_is_found_by_the_profile_of_the_members_other_order(
    program: Program, deliver: Deliver
) -> None:
    ref = build_house(program)
    bare: dict[str, object] = {"discounts": [], "items": [item(discounts=[])]}
    deliver("order.opened", order(**bare))
    deliver("order.completed", completed())
    deliver("order.opened", order(id="o-web", channel_type="web", **bare))
    drain()
    Event.objects.all().delete()
    erase(ref, "--yes", "--by", "ada")
    assert rows_with(ref, PROFILE) == set()


def test_the_customer_in_whose_cart_the_members_reward_was_used_is_not_erased(
    program: Program, deliver: Deliver, redemption: Redemption
) -> None:
    ref = build_house(program)
    spend(redemption, ref)
    leos = {"customer_email": "leo@example.test", "customer_id": "NS-LEO"}
    deliver("order.opened", order(**leos))
    deliver("order.completed", completed())
    deliver("order.opened", order(id="o-leo", channel_type="web", discounts=[], items=[item()], **leos))
    drain()
    erase(ref, "--yes", "--by", "ada")
    assert Order.objects.get(order_id="o-leo").profile_id == "NS-LEO"
    assert b"leo@example.test" in bytes(Event.objects.get(subject="o-leo").payload)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("order.opened", order(id="o-odd", items=[item(pricebook_price=None)])),
        ("order.opened", order(id="o-odd", customer_email=" Mia@Müller.test ", customer_id=[7])),
        ("order.created", order(id="o-odd", customer_email=None, customer_phone="+16175550101", items=None)),
        ("return.processed", returned(order_id="o-odd")),
    ],
)
def test_a_dead_event_is_emptied_when_only_it_ties_the_order_to_the_member(
    program: Program, deliver: Deliver, name: str, payload: dict[str, object]
) -> None:
    ref = build_house(program)
    Member.objects.update(phone="+16175550101")
    launch(program, member_ref=ref, is_customer=True, profile_id="")
    launch(program, member_ref=ref, is_customer=True, profile_id="", customer_email="mia@müller.test")
    deliver(name, payload)
    Event.objects.update(state=EventState.DEAD, due_at=None)
    erase(ref, "--yes", "--by", "ada")
    assert bytes(Event.objects.get().payload) == b"{}"


def test_what_was_erased_is_not_replayed(mia: str, program: Program) -> None:
    erase(mia, "--yes", "--by", "ada")
    replay(Event.objects.all())
    drain()
    assert not Event.objects.filter(state=EventState.DEAD).exists()
    assert not Alarm.objects.exists()
