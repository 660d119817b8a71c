"""Many tills at once, with real threads. SQLite has one writer at a time and would prove nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest
from django.db import connection

from providers.errors import Rejected, RejectReason
from providers.house.campaigns import Zone
from providers.house.mail_outs import give_codes
from providers.house.merging import merge_members
from providers.house.models import CampaignCode, Entry, Hold, MailOut, Member, Reward, Voucher
from providers.house.provider import HouseProvider
from providers.sales import Finding, Spend
from providers.types import Consents, MemberProfile
from tests.providers.house import (
    build_campaign,
    build_house,
    build_intent,
    build_member,
    build_order,
    build_return,
    use_code,
)

TILLS = 8
Answer = TypeVar("Answer")
pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def racing_house() -> HouseProvider:
    return build_house()


def at_once(call: Callable[[int], Answer]) -> list[Answer | RejectReason]:
    """Run `call(number)` in TILLS threads that start together; a Rejected becomes its reason."""
    barrier = Barrier(TILLS)

    def run(number: int) -> Answer | RejectReason:
        try:
            barrier.wait(10)
            return call(number)
        except Rejected as error:
            return error.reason
        finally:
            connection.close()

    with ThreadPoolExecutor(TILLS) as pool:
        return list(pool.map(run, range(TILLS)))


def test_tills_spending_at_once_never_overdraw(racing_house: HouseProvider) -> None:
    build_member(points=350)
    answers = at_once(lambda number: racing_house.spend(build_intent(f"key-{number}")))
    assert sum(isinstance(answer, Spend) for answer in answers) == 3
    assert answers.count(RejectReason.INSUFFICIENT_POINTS) == TILLS - 3
    member = Member.objects.get()
    assert (member.spendable, member.reserved) == (50, 300)


def test_the_same_spend_sent_at_once_is_one_spend(racing_house: HouseProvider) -> None:
    build_member(points=350)
    answers = at_once(lambda number: racing_house.spend(build_intent()))
    assert len({answer.provider_ref for answer in answers if isinstance(answer, Spend)}) == 1
    assert all(isinstance(answer, Spend) for answer in answers)
    assert Member.objects.get().spendable == 250


def test_a_key_used_by_two_members_at_once_spends_for_one(racing_house: HouseProvider) -> None:
    for number in range(TILLS):
        build_member(f"ACME-{number}", points=100)
    answers = at_once(lambda number: racing_house.spend(build_intent(ref=f"ACME-{number}")))
    assert sum(isinstance(answer, Spend) for answer in answers) == 1
    assert answers.count(RejectReason.NOT_ALLOWED) == TILLS - 1
    assert sorted(Member.objects.values_list("spendable", flat=True)) == [0] + [100] * (TILLS - 1)


def test_the_last_piece_in_stock_goes_to_one_member(racing_house: HouseProvider) -> None:
    Reward.objects.update(stock=1)
    for number in range(TILLS):
        build_member(f"ACME-{number}", points=100)
    answers = at_once(lambda number: racing_house.spend(build_intent(f"key-{number}", ref=f"ACME-{number}")))
    assert sum(isinstance(answer, Spend) for answer in answers) == 1
    assert answers.count(RejectReason.OUT_OF_STOCK) == TILLS - 1


def test_an_answer_about_a_spend_under_way_stays_true(racing_house: HouseProvider) -> None:
    build_member(points=350)
    intent = build_intent()

    def ask_or_spend(number: int) -> Finding | Spend:
        return racing_house.spend(intent) if number == 0 else racing_house.find_spend(intent).finding

    spent, *found = at_once(ask_or_spend)
    assert (Finding.DID_NOT in found) == (spent is RejectReason.NOT_ALLOWED)
    assert Member.objects.get().spendable == (350 if Finding.DID_NOT in found else 250)


def test_releasing_and_confirming_at_once_gives_back_once(racing_house: HouseProvider) -> None:
    build_member(points=350)
    spend = racing_house.spend(build_intent())

    def release_or_confirm(number: int) -> None:
        if number % 2:
            racing_house.release(spend)
        else:
            racing_house.confirm(spend, build_order())

    at_once(release_or_confirm)
    member = Member.objects.get()
    assert (member.spendable, member.reserved) == (350, 0)
    assert Hold.objects.get().state == "released"


def test_simultaneous_orders_and_returns_count_once(racing_house: HouseProvider) -> None:
    build_member(points=350)

    def record(number: int) -> None:
        if number % 2:
            racing_house.record_order(build_order())
        else:
            racing_house.record_return(build_return("30.00"))

    at_once(record)
    assert Member.objects.get().spendable == 350 + 50
    assert Entry.objects.filter(kind="earn").count() == 1


def test_enrolling_at_once_makes_one_member(racing_house: HouseProvider) -> None:
    profile = MemberProfile(email="noor@example.test", phone="+16175550104")
    answers = at_once(lambda number: racing_house.enrol(profile, Consents()).ref)
    assert len(set(answers)) == 1
    assert Member.objects.count() == 1


def test_a_campaign_code_used_at_many_tills_at_once_goes_to_one_member(racing_house: HouseProvider) -> None:
    for number in range(TILLS):
        build_member(f"ACME-{number}")
    build_campaign("SUMMER-1")
    answers = at_once(lambda number: use_code(racing_house, f"key-{number}", "SUMMER-1", f"ACME-{number}"))
    assert sum(isinstance(answer, Spend) for answer in answers) == 1
    assert answers.count(RejectReason.NOT_ALLOWED) == TILLS - 1
    assert Voucher.objects.count() == 1


def test_tills_and_a_mail_out_never_give_one_code_twice(racing_house: HouseProvider) -> None:
    for number in range(TILLS):
        build_member(f"ACME-{number}")
    campaign = build_campaign(*[f"SUMMER-{number}" for number in range(TILLS)])
    MailOut.objects.create(campaign=campaign)

    def till_or_mail_out(number: int) -> object:
        if number == 0:
            return give_codes("acme", Zone(), 5)
        return use_code(racing_house, f"key-{number}", f"SUMMER-{number}", f"ACME-{number}")

    at_once(till_or_mail_out)
    owners = list(CampaignCode.objects.exclude(member=None).values_list("member", flat=True))
    assert len(owners) == len(set(owners)) == Voucher.objects.count()


def test_spends_by_both_numbers_during_a_merge_lose_and_make_no_points(racing_house: HouseProvider) -> None:
    build_member("ACME-1", points=250)
    build_member("ACME-2", points=250)

    def spend_or_merge(number: int) -> object:
        if number == 0:
            return merge_members("acme", "ACME-1", "ACME-2", actor="ada", reason="Enrolled twice")
        return racing_house.spend(build_intent(f"key-{number}", ref=f"ACME-{1 + number % 2}"))

    answers = at_once(spend_or_merge)
    spent = sum(isinstance(answer, Spend) for answer in answers)
    survivor = Member.objects.get(member_id="ACME-1")
    assert not isinstance(answers[0], RejectReason)
    assert (survivor.spendable, survivor.reserved) == (500 - 100 * spent, 100 * spent)
    assert sum(survivor.entries.values_list("points", flat=True)) == 500
    assert set(Hold.objects.values_list("member", flat=True)) == {survivor.pk}
    for answer in answers:
        if isinstance(answer, Spend):
            racing_house.release(answer)
    assert Member.objects.get(member_id="ACME-1").spendable == 500


def test_two_administrators_merge_the_same_cards_once(racing_house: HouseProvider) -> None:
    build_member("ACME-1", points=250)
    build_member("ACME-2", points=250)

    def either_way(number: int) -> object:
        refs = ("ACME-1", "ACME-2") if number % 2 else ("ACME-2", "ACME-1")
        return merge_members("acme", *refs, actor="ada", reason="Enrolled twice")

    answers = at_once(either_way)
    assert answers.count(RejectReason.INVALID_INPUT) == TILLS - 1
    assert Member.objects.get(merged_into=None).spendable == 500
