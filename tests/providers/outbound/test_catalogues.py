"""Catalogues: who reads them, how old they may be, and what drops them."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.events.handlers import PROVIDER_HANDLERS
from loyaltyview.events.models import Event
from loyaltyview.programs.models import Program
from providers.base import LoyaltyProvider, ProviderConfig
from providers.errors import Unavailable, UnexpectedAnswer
from providers.models import KeptCatalogue
from providers.outbound import behind, catalogues, sharing
from providers.outbound.budget import is_tap
from providers.outbound.sharing import PAGE_S, TAP_S
from providers.types import CheckResult, WebhookName

pytestmark = pytest.mark.django_db

CONFIG = ProviderConfig(program="acme", currency="USD", country="US", settings={"api_key": "k1"})


class Vendor:
    """Lists one reward, whose price rises with each read."""

    def __init__(self) -> None:
        self.reads = 0
        self.error: Exception | None = None
        self.while_reading: Callable[[], Any] = lambda: None

    def read(self) -> Any:
        self.reads += 1
        self.while_reading()
        if self.error is not None:
            raise self.error
        return [{"id": "R1", "price": self.reads}]


def prices(content: Any) -> tuple[Any, ...]:
    if not isinstance(content, list):
        raise UnexpectedAnswer("rewards: no list")
    return tuple(item["price"] for item in content)


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What was started behind a page. The monotonic clock follows the test's."""
    import time

    steps: list[Callable[[], None]] = []
    monkeypatch.setattr(behind, "start", steps.append)
    monkeypatch.setattr(catalogues, "sleep", lambda _seconds: None)
    monkeypatch.setattr(catalogues.time, "monotonic", time.time)
    return steps


def ask(vendor: Vendor, config: ProviderConfig = CONFIG) -> Any:
    return catalogues.known(config, "rewards", read=vendor.read, parse=prices)


def on_a_page(vendor: Vendor, config: ProviderConfig = CONFIG) -> Any:
    with sharing.sharing("acme", "M-1", max_age_s=PAGE_S):
        return ask(vendor, config)


def on_a_tap(vendor: Vendor) -> Any:
    with sharing.sharing("acme", "M-1", max_age_s=TAP_S):
        return ask(vendor)


def test_pages_of_all_members_share_one_read(vendor: Vendor, clock: time_machine.Traveller) -> None:
    assert on_a_page(vendor) == (1,)
    clock.shift(catalogues.FRESH)
    assert on_a_page(vendor) == (1,)


def test_another_process_uses_what_was_read(vendor: Vendor) -> None:
    on_a_page(vendor)
    catalogues.forget_all()  # as a process that has just started
    assert on_a_page(vendor) == (1,)


def test_a_process_sees_within_a_second_what_another_one_read_anew(
    vendor: Vendor, clock: time_machine.Traveller
) -> None:
    on_a_page(vendor)
    KeptCatalogue.objects.update(version="theirs", content='[{"id": "R1", "price": 7.5}]')
    assert on_a_page(vendor) == (1,)
    clock.shift(catalogues.LOOK_S)
    assert on_a_page(vendor) == (Decimal("7.5"),)


def test_a_page_that_finds_an_old_one_uses_it_and_has_it_read_behind(
    vendor: Vendor, clock: time_machine.Traveller, started: list[Callable[[], None]]
) -> None:
    on_a_page(vendor)
    clock.shift(catalogues.FRESH + timedelta(seconds=1))
    assert [on_a_page(vendor), on_a_page(vendor)] == [(1,), (1,)]
    (step,) = started
    step()
    assert on_a_page(vendor) == (2,)


def test_one_process_reads_behind(
    vendor: Vendor, clock: time_machine.Traveller, started: list[Callable[[], None]]
) -> None:
    on_a_page(vendor)
    clock.shift(catalogues.FRESH + timedelta(seconds=1))
    KeptCatalogue.objects.update(lease="theirs", lease_until=timezone.now() + catalogues.LEASE)
    on_a_page(vendor)
    started.pop()()
    assert vendor.reads == 1


def test_a_read_behind_that_fails_is_made_again_after_a_pause(
    vendor: Vendor, clock: time_machine.Traveller, started: list[Callable[[], None]]
) -> None:
    on_a_page(vendor)
    vendor.error = Unavailable("503")
    clock.shift(catalogues.FRESH + timedelta(seconds=1))
    on_a_page(vendor)
    started.pop()()
    assert on_a_page(vendor) == (1,)
    assert not started
    clock.shift(catalogues.LEASE + timedelta(seconds=1))
    vendor.error = None
    on_a_page(vendor)
    started.pop()()
    assert on_a_page(vendor) == (3,)


def test_a_page_reads_a_very_old_one_itself(vendor: Vendor, clock: time_machine.Traveller) -> None:
    on_a_page(vendor)
    clock.shift(catalogues.BEHIND + timedelta(seconds=1))
    assert on_a_page(vendor) == (2,)


def test_while_the_vendor_is_away_a_page_uses_one_of_today(
    vendor: Vendor, clock: time_machine.Traveller
) -> None:
    on_a_page(vendor)
    vendor.error = Unavailable("503")
    clock.shift(catalogues.USABLE - timedelta(minutes=1))
    assert on_a_page(vendor) == (1,)
    clock.shift(timedelta(minutes=2))
    with pytest.raises(Unavailable):
        on_a_page(vendor)


def test_the_discount_of_a_tap_comes_from_a_read_of_at_most_thirty_seconds_ago(
    vendor: Vendor, clock: time_machine.Traveller
) -> None:
    on_a_page(vendor)
    clock.shift(TAP_S)
    assert on_a_tap(vendor) == (1,)
    clock.shift(1)
    assert on_a_tap(vendor) == (2,)
    assert on_a_page(vendor) == (2,)


def test_a_tap_never_uses_an_old_one_when_the_vendor_is_away(
    vendor: Vendor, clock: time_machine.Traveller
) -> None:
    on_a_page(vendor)
    vendor.error = Unavailable("503")
    clock.shift(TAP_S + 1)
    with pytest.raises(Unavailable):
        on_a_tap(vendor)


def test_outside_a_page_the_rule_of_a_tap_holds(vendor: Vendor, clock: time_machine.Traveller) -> None:
    on_a_page(vendor)
    clock.shift(TAP_S + 1)
    assert ask(vendor) == (2,)


def test_a_read_uses_no_shared_answer(vendor: Vendor) -> None:
    seen = []
    vendor.while_reading = lambda: seen.append(sharing.is_page())
    on_a_page(vendor)
    assert seen == [False]


def test_what_cannot_be_parsed_is_not_kept(vendor: Vendor) -> None:
    with pytest.raises(UnexpectedAnswer):
        catalogues.known(CONFIG, "rewards", read=lambda: {"message": "sorry"}, parse=prices)
    assert on_a_page(vendor) == (1,)


def test_what_an_earlier_release_kept_in_another_form_is_read_anew(vendor: Vendor) -> None:
    on_a_page(vendor)
    KeptCatalogue.objects.update(content='{"rewards": []}')
    catalogues.forget_all()
    assert on_a_page(vendor) == (2,)


def test_changed_settings_of_the_program_drop_it(vendor: Vendor) -> None:
    on_a_page(vendor)
    assert on_a_page(vendor, replace(CONFIG, settings={"api_key": "k2"})) == (2,)


def test_the_stored_row_does_not_show_the_settings(vendor: Vendor) -> None:
    on_a_page(vendor)
    row = KeptCatalogue.objects.values().get()
    assert "k1" not in repr(row)


def test_a_drop_is_seen_by_every_process(vendor: Vendor, clock: time_machine.Traveller) -> None:
    on_a_page(vendor)
    kept = dict(catalogues._known)
    catalogues.drop("other")
    assert on_a_page(vendor) == (1,)
    catalogues.drop("acme")
    catalogues._known.update(kept)  # as a process that has not looked yet
    clock.shift(catalogues.LOOK_S)
    assert on_a_page(vendor) == (2,)


def test_a_read_that_began_before_a_drop_is_not_kept(vendor: Vendor) -> None:
    vendor.while_reading = lambda: catalogues.drop("acme")
    assert on_a_page(vendor) == (1,)
    vendor.while_reading = lambda: None
    assert on_a_page(vendor) == (2,)


def test_while_another_process_reads_a_page_waits_for_it(vendor: Vendor) -> None:
    on_a_page(vendor)
    catalogues.forget_all()
    row = KeptCatalogue.objects.get()
    KeptCatalogue.objects.update(read_at=None, lease="theirs", lease_until=timezone.now() + catalogues.LEASE)

    def they_end(_seconds: float) -> None:
        row.save()

    catalogues.sleep = they_end
    assert on_a_page(vendor) == (1,)


def test_a_page_does_not_wait_for_a_process_that_was_killed(
    vendor: Vendor, clock: time_machine.Traveller
) -> None:
    on_a_page(vendor)
    KeptCatalogue.objects.update(read_at=None, lease="theirs", lease_until=timezone.now() + catalogues.LEASE)
    catalogues.forget_all()
    catalogues.sleep = lambda _seconds: clock.shift(1)
    assert on_a_page(vendor) == (2,)


def test_what_a_tap_reads_after_a_killed_process_serves_the_next_tap(
    vendor: Vendor, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_page(vendor)
    clock.shift(TAP_S + 1)
    KeptCatalogue.objects.update(lease="theirs", lease_until=timezone.now() + catalogues.LEASE)
    monkeypatch.setattr(catalogues, "sleep", lambda _seconds: clock.shift(1))
    assert [on_a_tap(vendor), on_a_tap(vendor)] == [(2,), (2,)]


def test_a_failed_read_behind_a_page_keeps_no_tap_waiting(
    vendor: Vendor,
    clock: time_machine.Traveller,
    started: list[Callable[[], None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_a_page(vendor)
    clock.shift(catalogues.FRESH + timedelta(seconds=1))
    vendor.error = Unavailable("503")
    on_a_page(vendor)
    started.pop()()
    vendor.error = None
    monkeypatch.setattr(catalogues, "sleep", lambda _seconds: pytest.fail("the tap waits"))
    assert [on_a_tap(vendor), on_a_tap(vendor)] == [(3,), (3,)]


def test_a_clock_that_was_set_back_makes_no_catalogue_last(
    vendor: Vendor, clock: time_machine.Traveller
) -> None:
    on_a_page(vendor)
    clock.shift(-3600)
    assert [on_a_tap(vendor), on_a_tap(vendor)] == [(2,), (2,)]


def test_a_late_read_does_not_replace_what_was_read_after_a_drop(
    vendor: Vendor, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_page(vendor)
    clock.shift(TAP_S + 1)
    KeptCatalogue.objects.update(lease="killed", lease_until=timezone.now() + catalogues.LEASE)
    monkeypatch.setattr(catalogues, "sleep", lambda _seconds: clock.shift(1))
    later = Vendor()
    later.reads = 6

    def drop_and_read() -> None:
        catalogues.drop("acme")
        catalogues._reading.clear()  # as another process
        on_a_page(later)

    vendor.while_reading = drop_and_read
    assert on_a_tap(vendor) == (2,)
    catalogues.forget_all()
    assert on_a_page(vendor) == (7,)


def test_a_failed_read_keeps_no_other_page_waiting(vendor: Vendor) -> None:
    vendor.error = Unavailable("503")
    with pytest.raises(Unavailable):
        on_a_page(vendor)
    vendor.error = None
    assert on_a_page(vendor) == (2,)


def test_it_is_deleted_when_it_is_too_old_for_everybody(
    vendor: Vendor, clock: time_machine.Traveller
) -> None:
    on_a_page(vendor)
    clock.shift(catalogues.USABLE)
    assert catalogues.forget_old() == 0
    clock.shift(timedelta(minutes=1))
    assert catalogues.forget_old() == 1


def test_a_read_behind_takes_no_share_of_taps_and_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    done, seen = threading.Event(), []

    def step() -> None:
        seen.append((is_tap(), sharing.is_page()))
        done.set()

    with sharing.sharing("acme", max_age_s=PAGE_S):
        behind.start(step)
    assert done.wait(10)
    assert seen == [(False, False)]


def test_a_test_of_the_connection_drops_it(vendor: Vendor) -> None:
    class Shop(LoyaltyProvider):
        kind = "shop"

        def check(self) -> CheckResult:
            return CheckResult(account=str(on_a_page(vendor)), latency_ms=1)

    Shop.__abstractmethods__ = frozenset()
    on_a_page(vendor)
    assert Shop(CONFIG).check().account == "(2,)"


def test_a_delivery_that_the_catalogue_changed_drops_it(vendor: Vendor) -> None:
    on_a_page(vendor)
    handle = PROVIDER_HANDLERS[WebhookName.CATALOGUE_CHANGED]
    handle(Event(program=Program(slug="acme")))
    assert on_a_page(vendor) == (2,)
