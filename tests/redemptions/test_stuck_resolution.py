"""A stuck redemption: the administrator's answer moves it on, and the trail has their name."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from loyaltyview.redemptions.commands import Actor, RedeemRequest
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.orders import give_back_order, settle, use_codes
from loyaltyview.redemptions.recovery import run_one
from loyaltyview.redemptions.release import undo
from loyaltyview.redemptions.saga import redeem
from loyaltyview.redemptions.stuck_resolution import Question, question_of, resolve
from providers.errors import OutcomeUnknown, Rejected, RejectReason, Unavailable
from providers.sales import Order

from .conftest import KIM, Mint
from .memory_provider import Ledger

Tap = Callable[..., RedeemRequest]
ADMIN = Actor(name="admin ada")


@pytest.fixture
def stuck(tap: Tap, vendor: Ledger, newstore: Mint) -> Redemption:
    """A spend that happened, but whose outcome the vendor never reported."""
    vendor.after["spend"] = OutcomeUnknown("timed out")
    vendor.can_find = False
    row = redeem(tap())
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        run_one()
    row.refresh_from_db()
    assert (row.state, question_of(row)) == (State.STUCK, Question.SPEND)
    return row


def test_a_spend_that_happened_is_given_back_by_the_worker(stuck: Redemption, vendor: Ledger) -> None:
    assert resolve(stuck, question_of(stuck), it_happened=True, actor=ADMIN)
    assert run_one()
    stuck.refresh_from_db()
    assert (stuck.state, vendor.points["mia"]) == (State.RELEASED, 820)
    assert stuck.transitions.filter(actor="admin ada", from_state="stuck").exists()


def test_a_spend_that_did_not_happen_is_refused(stuck: Redemption) -> None:
    assert resolve(stuck, question_of(stuck), it_happened=False, actor=ADMIN)
    assert (stuck.state, stuck.refusal) == (State.REFUSED, "NOT_SPENT")


def test_a_second_answer_changes_nothing(stuck: Redemption) -> None:
    resolve(stuck, question_of(stuck), it_happened=False, actor=ADMIN)
    assert not resolve(stuck, Question.SPEND, it_happened=True, actor=ADMIN)
    assert stuck.state == State.REFUSED


def test_a_release_that_did_not_happen_is_tried_again(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    vendor.before["release"] = Rejected(RejectReason.NOT_ALLOWED)
    row = undo(redeem(tap()).pk, KIM)
    assert (row.state, question_of(row)) == (State.STUCK, Question.RELEASE)
    resolve(row, question_of(row), it_happened=False, actor=ADMIN)
    assert run_one()
    row.refresh_from_db()
    assert (row.state, vendor.points["mia"]) == (State.RELEASED, 820)


def test_a_release_that_happened_is_closed(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    vendor.before["release"] = Rejected(RejectReason.NOT_ALLOWED)
    row = undo(redeem(tap()).pk, KIM)
    assert resolve(row, question_of(row), it_happened=True, actor=ADMIN)
    assert row.state == State.RELEASED
    assert not run_one()


def test_a_late_order_that_was_paid_for_by_hand_is_settled(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order
) -> None:
    row = undo(redeem(tap()).pk, KIM)
    vendor.points["mia"] = 0
    use_codes(row.program, order_id="order-1", codes=(row.code,))
    settle(row.program, order)
    row.refresh_from_db()
    assert resolve(row, question_of(row), it_happened=True, actor=ADMIN)
    assert row.state == State.SETTLED


def test_an_order_turns_the_question_of_a_release_into_that_of_its_spend(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order
) -> None:
    vendor.before["release"] = Rejected(RejectReason.NOT_ALLOWED)
    row = undo(redeem(tap()).pk, KIM)
    use_codes(row.program, order_id="order-1", codes=(row.code,))
    settle(row.program, order)
    row.refresh_from_db()
    assert (row.state, question_of(row)) == (State.STUCK, Question.SPEND)
    resolve(row, question_of(row), it_happened=True, actor=ADMIN)
    # No copy of the order is left for the worker to send to the program: a person must do that, too.
    assert (row.state, question_of(row), vendor.points["mia"]) == (State.STUCK, Question.CONFIRM, 620)
    assert "tell the program by hand" in row.last_error
    assert resolve(row, Question.CONFIRM, it_happened=True, actor=ADMIN)
    assert row.state == State.SETTLED


def test_an_answer_to_another_question_changes_nothing(tap: Tap, vendor: Ledger, newstore: Mint) -> None:
    """Two administrators look at the same page. The first answers, and the release is refused."""
    vendor.before["release"] = Rejected(RejectReason.NOT_ALLOWED)
    row = undo(redeem(tap()).pk, KIM)
    assert question_of(row) is Question.RELEASE
    assert not resolve(row, Question.SPEND, it_happened=True, actor=ADMIN)
    row.refresh_from_db()
    assert row.state == State.STUCK
    # Meanwhile an order is tied: the question is another one now.
    use_codes(row.program, order_id="order-1", codes=(row.code,))
    assert not resolve(row, Question.RELEASE, it_happened=True, actor=ADMIN)
    row.refresh_from_db()
    assert (row.state, vendor.points["mia"]) == (State.STUCK, 620)


def test_an_order_during_the_release_that_failed_turns_its_question_too(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    vendor.before["release"] = Unavailable("down")
    row = undo(redeem(tap()).pk, KIM)
    assert row.state == State.RELEASING
    use_codes(row.program, order_id="order-1", codes=(row.code,))
    vendor.before["release"] = Rejected(RejectReason.NOT_ALLOWED)
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        run_one()
    row.refresh_from_db()
    assert (row.state, question_of(row)) == (State.STUCK, Question.SPEND)


def test_a_spend_whose_order_was_cancelled_meanwhile_is_given_back(
    stuck: Redemption, vendor: Ledger, order: Order
) -> None:
    use_codes(stuck.program, order_id="order-1", codes=(stuck.code,))
    give_back_order(stuck.program, order_id="order-1")
    stuck.refresh_from_db()
    resolve(stuck, question_of(stuck), it_happened=True, actor=ADMIN)
    assert run_one()
    stuck.refresh_from_db()
    assert (stuck.state, vendor.points["mia"]) == (State.RELEASED, 820)


def test_an_order_that_came_while_the_administrator_looked_counts(stuck: Redemption, vendor: Ledger) -> None:
    looked_at = Redemption.objects.get()
    use_codes(stuck.program, order_id="order-1", codes=(stuck.code,))
    resolve(looked_at, question_of(looked_at), it_happened=True, actor=ADMIN)
    stuck.refresh_from_db()
    assert stuck.state == State.SETTLED


def test_the_worklist_shows_the_question(stuck: Redemption, client: Client) -> None:
    client.force_login(User.objects.create_superuser("ada", password="x"))
    for address in ("?state__exact=stuck", f"{stuck.pk}/change/"):
        page = client.get(f"/admin/redemptions/redemption/{address}").content.decode()
        assert "Did the program take the points, or the voucher?" in page


def test_the_administrator_answers_on_its_own_page_with_a_note(stuck: Redemption, client: Client) -> None:
    client.force_login(User.objects.create_superuser("ada", password="x"))
    page = f"/admin/redemptions/redemption/{stuck.pk}/change/"
    assert 'value="it_did_not"' in client.get(page).content.decode()
    assert "cannot tell" in client.get(page).content.decode()
    answer = {"answer": "it_did_not", "note": "ticket 4711"}
    other = answer | {"asked": "release"}
    shown = client.post(page.replace("change", "answer"), other, follow=True).content.decode()
    assert "Nothing was changed" in shown
    assert 'name="asked" value="spend"' in shown
    answer |= {"asked": "spend"}
    shown = client.post(page.replace("change", "answer"), answer, follow=True).content.decode()
    assert "The redemption is resolved." in shown
    assert 'value="it_did_not"' not in shown
    stuck.refresh_from_db()
    assert stuck.state == State.REFUSED
    assert stuck.transitions.get(actor="admin ada").reason == "spend: it did not. ticket 4711"


def test_an_administrator_who_may_only_view_cannot_answer(stuck: Redemption, client: Client) -> None:
    viewer = User.objects.create_user("vic", password="x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_redemption"))
    client.force_login(viewer)
    page = f"/admin/redemptions/redemption/{stuck.pk}/change/"
    assert "it_did_not" not in client.get(page).content.decode()
    answer = {"answer": "it_did_not", "asked": "spend"}
    assert client.post(page.replace("change", "answer"), answer).status_code == 403
    stuck.refresh_from_db()
    assert stuck.state == State.STUCK


@pytest.mark.parametrize("answer", [{}, {"answer": "yes", "asked": "spend"}, {"answer": "it_happened"}])
def test_a_form_that_is_not_ours_is_refused(
    stuck: Redemption, client: Client, answer: dict[str, str]
) -> None:
    client.force_login(User.objects.create_superuser("ada", password="x"))
    assert client.post(f"/admin/redemptions/redemption/{stuck.pk}/answer/", answer).status_code == 400


def test_saving_the_page_writes_nothing(stuck: Redemption, client: Client) -> None:
    client.force_login(User.objects.create_superuser("ada", password="x"))
    page = f"/admin/redemptions/redemption/{stuck.pk}/change/"
    assert 'name="_save"' not in client.get(page).content.decode()


def test_the_administrator_sees_the_whole_trail_and_can_change_nothing(
    stuck: Redemption, client: Client
) -> None:
    client.force_login(User.objects.create_superuser("ada", password="x"))
    page = client.get(f"/admin/redemptions/redemption/{stuck.pk}/change/").content.decode()
    assert "outcome unknown" in page
    assert 'name="state"' not in page
    assert client.post(f"/admin/redemptions/redemption/{stuck.pk}/delete/").status_code == 403


@pytest.mark.parametrize(("currency", "shown"), [("USD", "10.50"), ("JPY", "10"), ("KWD", "10.500")])
def test_the_administrator_sees_savings_with_the_decimals_of_their_currency(
    stuck: Redemption, admin_client: Client, currency: str, shown: str
) -> None:
    Redemption.objects.update(saving="10" if currency == "JPY" else "10.5", currency=currency)
    for address in ("", f"{stuck.pk}/change/"):
        page = admin_client.get(f"/admin/redemptions/redemption/{address}").content.decode()
        assert re.search(rf"(field-saved|readonly)[^>]*>{re.escape(shown)}<", page)


def test_a_use_that_the_program_does_not_know_of_takes_no_points_again(
    tap: Tap, vendor: Ledger, newstore: Mint, order: Order
) -> None:
    row = redeem(tap())
    use_codes(row.program, order_id="order-1", codes=(row.code,))
    vendor.before["confirm"] = Rejected(RejectReason.NOT_ALLOWED)
    settle(row.program, order)
    row.refresh_from_db()
    assert (row.state, question_of(row)) == (State.STUCK, Question.CONFIRM)
    resolve(row, Question.CONFIRM, it_happened=False, actor=ADMIN)
    settle(row.program, order)  # a later event of the same order, for example order.completed
    row.refresh_from_db()
    assert (vendor.points["mia"], vendor.calls.count("spend")) == (620, 1)
    assert row.state != State.RELEASED, "it was not given back"
