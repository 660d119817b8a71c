"""What a page read of a member is kept for a day, sealed, and shown with its age while it holds."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyaltyview.programs.erasure import Person
from loyaltyview.programs.models import Program
from loyaltyview.webview import erasure, merging, snapshots
from loyaltyview.webview.models import Launch, MemberSnapshot
from providers.errors import Unavailable
from providers.outbound import behind, sharing
from providers.types import CartItem
from tests.plans import plan_of

from .conftest import Open
from .fakes import MIA, FakeProvider, Vendor


@pytest.fixture
def remote(vendor: Vendor) -> Vendor:
    """The vendor, reached over the network."""
    vendor.is_local = False
    return vendor


@pytest.fixture
def seen(client: Client, page: str, remote: Vendor) -> Launch:
    """A launch whose page has shown Mia."""
    b"".join(client.get(page))
    return Launch.objects.get()


def known(launch: Launch) -> snapshots.Known | None:
    change = sharing.change_of(launch.program.slug, launch.member_ref)
    return snapshots.load(launch.program, launch.member_ref, change)


def stored() -> dict[str, str]:
    """The row as the database holds it, by column."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM webview_membersnapshot")
        (row,) = cursor.fetchall()
        return {column[0]: str(value) for column, value in zip(cursor.description, row, strict=True)}


def test_what_a_page_showed_is_kept_exactly(seen: Launch, vendor: Vendor) -> None:
    kept = known(seen)
    assert kept is not None
    assert (kept.snapshot.balance, kept.snapshot.tier) == (MIA.balance, MIA.tier)
    assert (kept.snapshot.rewards, kept.snapshot.vouchers) == (vendor.rewards, vendor.vouchers)
    assert kept.snapshot.earn == 129


def test_a_row_has_nothing_in_the_clear_but_the_members_ref(seen: Launch) -> None:
    row = stored()
    content = row.pop("content")
    # By chance, sealed text spells any three letters, but hardly ever these.
    assert "v-birthday" not in content
    assert "TOTE-01" not in content
    assert MIA.ref in row["member_ref"]
    for text in ("Mia", "Stone", "mia@", "5550100", "v-birthday", "820", "Silver", "TOTE-01"):
        assert text not in str(row), text


def test_name_and_contact_are_not_kept_even_sealed(seen: Launch) -> None:
    content = MemberSnapshot.objects.get().content
    assert "v-birthday" in content
    for text in ("Mia", "Stone", "mia@", "5550100"):
        assert text not in content


def test_a_local_program_keeps_none(client: Client, page: str) -> None:
    client.get(page)
    assert not MemberSnapshot.objects.exists()


def test_a_change_of_the_member_ends_it(seen: Launch) -> None:
    assert known(seen)
    sharing.changed(seen.program.slug, seen.member_ref)
    assert known(seen) is None


def test_a_change_while_it_was_read_ends_it(seen: Launch) -> None:
    began = snapshots.start(seen)
    kept = known(seen)
    assert kept is not None
    sharing.changed(seen.program.slug, seen.member_ref)
    snapshots.keep(seen, began, kept.snapshot)
    assert known(seen) is None


def test_it_is_stored_behind_the_page_and_not_shown_after_a_change_meanwhile(
    client: Client, page: str, remote: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[behind.Step] = []
    monkeypatch.setattr(behind, "write", steps.append)
    b"".join(client.get(page))
    launch = Launch.objects.get()
    assert not MemberSnapshot.objects.exists()

    sharing.changed(launch.program.slug, launch.member_ref)
    for step in steps:
        step()
    assert MemberSnapshot.objects.count() == 1
    assert known(launch) is None


def test_it_is_shown_for_a_day_and_then_deleted(seen: Launch) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        assert known(seen) is None
        assert snapshots.purge_snapshots(timezone.now() - snapshots.KEPT_FOR) == 1
    assert not MemberSnapshot.objects.exists()


@pytest.mark.parametrize("content", ["{}", "[]", "no JSON", '{"version": 2}', "changed"])
def test_a_row_of_another_release_is_ignored(seen: Launch, content: str) -> None:
    row = MemberSnapshot.objects.get()
    row.content = row.content.replace('"version":1', '"version":2') if content == "changed" else content
    row.save()
    assert known(seen) is None


def test_a_row_that_no_key_opens_is_ignored(seen: Launch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE webview_membersnapshot SET content = 'unreadable'")
    assert known(seen) is None


def test_an_erasure_deletes_it(seen: Launch) -> None:
    person = Person(program=seen.program, ref=seen.member_ref, pseudonym="ERASED-1")
    erasure.erase(person)
    assert not MemberSnapshot.objects.exists()


def test_a_merge_of_two_cards_deletes_it(seen: Launch) -> None:
    merging.follow(seen.program.slug, "old", seen.member_ref)
    assert not MemberSnapshot.objects.exists()


def test_a_program_takes_its_snapshots_along(seen: Launch) -> None:
    Launch.objects.all().delete()
    Program.objects.filter(pk=seen.program_id).delete()
    assert not MemberSnapshot.objects.exists()


def test_a_page_without_the_vendor_shows_no_balance_from_before_a_change(
    client: Client, seen: Launch, open_page: Open, vendor: Vendor
) -> None:
    sharing.changed(seen.program.slug, seen.member_ref)
    vendor.down(Unavailable("timeout"))
    assert "not known here yet" in b"".join(client.get(open_page(cartId="cart-2"))).decode()


def test_lists_belong_to_a_store_and_where_the_vendor_says_so_to_the_goods(
    seen: Launch, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = known(seen)
    assert kept is not None
    provider, cart = seen.program.provider(), kept.snapshot.cart
    other = replace(cart, items=(CartItem(item_id="i", product_id="P", price=cart.total.amount),))
    assert kept.is_for(provider, other)
    assert not kept.is_for(provider, replace(cart, store="other"))
    monkeypatch.setattr(FakeProvider, "lists_follow_cart", True)
    assert not kept.is_for(provider, other)
    assert kept.is_for(provider, replace(cart, cart_id="another cart of the same goods"))


def test_a_customer_without_e_mail_is_known_by_the_loyalty_id(seen: Launch) -> None:
    mine = Launch.objects.filter(pk=seen.pk)
    assert mine.filter(is_customer=True).update(customer_key="", customer_email="", loyalty_id="L-00042")
    assert snapshots.known_ref(seen.program, "", "L-00042") == seen.member_ref
    assert snapshots.known_ref(seen.program, "", "L-00043") == ""


@pytest.mark.parametrize(
    ("customer_key", "loyalty_id", "index"),
    [("k", "L-00042", "launch_customer"), ("", "L-00042", "launch_loyalty_id")],
)
def test_a_customers_last_launch_is_found_by_an_index(
    seen: Launch, customer_key: str, loyalty_id: str, index: str
) -> None:
    with CaptureQueriesContext(connection) as asked:
        snapshots.known_ref(seen.program, customer_key, loyalty_id)
    plan = plan_of(asked.captured_queries[-1]["sql"])
    assert "Seq Scan" not in plan
    if connection.vendor == "sqlite":  # PostgreSQL's choice depends on how much there is
        assert index in plan
