"""Every list in admin reads few rows, however many there are: its pages, filters, searches and orders."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import resolve, reverse
from django.utils import timezone

from loyaltyview.events.models import Alarm
from loyaltyview.programs.models import Program
from providers import admin_filters, indexed_search, large_lists
from providers.house.models import Member
from providers.journal.models import Write
from providers.large_lists import LargeList
from tests.load.fill import insert_all, make_programs
from tests.load.rows import searched

# Tables that people fill by hand, or with one row for each program or file.
SMALL = {
    "auth.Group", "auth.User", "events.EventSearch", "house.BirthdayRule", "house.Campaign", "house.Category",
    "house.CodeBatch", "house.EarnRule", "house.MailOut", "house.Multiplier", "house.ReferralRule",
    "house.Reward", "house.Tier", "house_api.ApiKey", "pongo.Account", "pongo.Subscription",
    "programs.Program",
}  # fmt: skip
ROWS = 4000
# A step of a list reads at most so many rows, here a tenth of the smaller tables.
STEP = 100
# A program with a fifth of the rows is found by reading five rows for each.
MOST_READ = 6 * STEP

LARGE = {model: each for model, each in admin.site._registry.items() if isinstance(each, LargeList)}


def test_every_list_is_large_or_known_to_be_small() -> None:
    others = {model._meta.label for model in admin.site._registry if model not in LARGE}
    assert others == SMALL, "a table that grows needs providers.large_lists.LargeList"


@pytest.mark.parametrize("model", LARGE, ids=lambda model: model._meta.label)
def test_no_list_joins_or_sorts_by_what_has_no_index(model: Any) -> None:
    first = [each.fields[0] for each in model._meta.indexes if each.fields and not each.condition]
    time_field = LARGE[model].time_field
    assert not time_field or time_field in first or model._meta.get_field(time_field).db_index
    for path in LARGE[model].search_fields:
        relation, _sep, name = path.rpartition("__")
        found = model._meta.get_field(relation).related_model if relation else model
        if path not in LARGE[model].search_beginnings:
            indexed_search.index_of(found, name)


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (large_lists, "LOOKED_THROUGH"), (large_lists, "COUNTED"), (admin_filters, "NEWEST"),
        (indexed_search, "FOUND"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, STEP)


@pytest.mark.postgres
@pytest.mark.usefixtures("few_steps")
def test_each_page_filter_search_and_order_reads_few_rows(admin_user: User) -> None:
    make_programs()
    with connection.cursor() as cursor:
        insert_all(cursor, ROWS)
        cursor.execute("ANALYZE")
    read: dict[str, str] = {}
    for model, model_admin in LARGE.items():
        for address in addresses_of(model, model_admin, admin_user):
            for sql, rows in rows_read(lambda: changes_of(model_admin, address, admin_user)):  # noqa: B023
                if rows > MOST_READ:
                    read.setdefault(sql, f"{address}: {rows} rows")
    assert not read, "\n".join(f"{what}\n    {sql}" for sql, what in read.items())


def changes_of(model_admin: LargeList, address: str, user: User) -> Any:
    request: Any = RequestFactory().get(address)
    request.user, request.resolver_match = user, resolve(request.path)
    with large_lists.planned_by_values():
        return model_admin.get_changelist_instance(request)


def addresses_of(model: Any, model_admin: LargeList, user: User) -> Iterator[str]:
    """Yield the address of the list, and those that it has links to."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    path = reverse(name)
    yield path
    changes = changes_of(model_admin, path, user)
    assert changes.result_list, f"tests.load.fill writes no {model._meta.label}"
    if changes.older_query:
        yield path + changes.older_query
    for spec in changes.filter_specs:
        *_earlier, last = choices = list(spec.choices(changes))
        for choice in (choices[1], last):
            yield path + choice["query_string"]
    for number in range(len(changes.list_display)):
        if changes.list_display[number] in (changes.sortable_by or ()):
            yield f"{path}?o={number}"
    if model_admin.time_field:
        yield f"{path}?until={getattr(changes.result_list[-1], model_admin.time_field):%Y-%m-%d}"
    for text in searched(model, model_admin, changes.result_list[-1]):
        yield f"{path}?q={text}"


def rows_read(ask: Any) -> list[tuple[str, int]]:
    """Return each query that `ask` makes, with the most rows that one step of its plan reads."""
    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        ask()
    found = []
    with connection.cursor() as cursor:
        for sql, params in asked:
            if sql.startswith("SELECT"):
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
                plan = cursor.fetchone()[0]
                found.append((sql, most_of((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])))
    return found


def most_of(node: dict[str, Any]) -> int:
    """Return the most rows that a step of the plan takes from a table."""
    rows = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    own = rows if "Relation Name" in node or "Index Name" in node else 0
    return max([int(own), *(most_of(each) for each in node.get("Plans", ()))])


@pytest.fixture
def writes(db: None) -> list[Write]:
    """120 writes, one a minute, the newest last; every fortieth of another program."""
    now = datetime(2026, 3, 4, 10, tzinfo=UTC)
    return Write.objects.bulk_create(
        Write(
            vendor="yotpo",
            program="beta" if number % 40 == 7 else "acme",
            kind="sale",
            key=f"Order-{number:03}",
            noted_at=now + timedelta(minutes=number),
        )
        for number in range(120)
    )


LIST = "/admin/journal/write/"


def keys_of(client: Client, query: str = "") -> list[str]:
    return [row.key for row in client.get(LIST + query).context["cl"].result_list]


def test_pages_lead_from_the_newest_row_to_the_oldest(admin_client: Client, writes: list[Write]) -> None:
    found, query = [], ""
    while query is not None:
        page = admin_client.get(LIST + query)
        found.append([row.key for row in page.context["cl"].result_list])
        link = re.search(r'href="([^"]+)" rel="next"', page.content.decode())
        query = unescape(link[1]) if link else None  # type: ignore[assignment]
    assert [len(keys) for keys in found] == [50, 50, 20]
    assert [key for keys in found for key in keys] == [row.key for row in reversed(writes)]


def test_rows_of_one_moment_stand_on_one_page_each(admin_client: Client, writes: list[Write]) -> None:
    Write.objects.update(noted_at=writes[0].noted_at)
    second = admin_client.get(LIST).context["cl"].older_query
    assert keys_of(admin_client, second)[0] == "Order-069"


def test_the_oldest_come_first_where_that_is_asked(admin_client: Client, writes: list[Write]) -> None:
    first = admin_client.get(f"{LIST}?o=0").context["cl"]
    assert first.result_list[0].key == "Order-000"
    assert keys_of(admin_client, first.older_query)[0] == "Order-050"


def test_a_list_begins_at_the_day_that_is_asked_for(admin_client: Client, writes: list[Write]) -> None:
    Write.objects.filter(key__lt="Order-100").update(noted_at=datetime(2026, 3, 1, tzinfo=UTC))
    assert keys_of(admin_client, "?until=2026-03-03")[0] == "Order-099"
    assert keys_of(admin_client, "?until=2026-03-04")[0] == "Order-119"


@pytest.mark.parametrize(
    "query",
    [
        "?after=x", "?after=2026~1", "?after=~", "?until=x", "?until=9999-12-31",
        "?after=0001-01-01T00:00:00%2B23:59~1", "?after=9999-12-31T23:59:59-23:59~1", "?kind__exact=%00",
    ],
)  # fmt: skip
def test_an_address_that_says_nothing_shows_the_first_page(
    admin_client: Client, writes: list[Write], query: str
) -> None:
    response = admin_client.get(LIST + query, follow=True)
    assert response.redirect_chain == [(f"{LIST}?e=1", 302)]


def test_a_filter_without_an_index_says_how_far_it_looked(
    admin_client: Client, writes: list[Write], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_lists, "LOOKED_THROUGH", 30)
    Write.objects.filter(key__in=["Order-110", "Order-080", "Order-005"]).update(kind="return")
    found, query = [], "?kind__exact=return"
    while query:
        page = admin_client.get(LIST + query)
        found.append([row.key for row in page.context["cl"].result_list])
        query = page.context["cl"].older_query
        assert ("were looked through back to" in page.content.decode()) == bool(query)
    assert found == [["Order-110"], ["Order-080"], [], ["Order-005"], []]


def test_a_filter_with_an_index_finds_all(
    admin_client: Client, writes: list[Write], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_lists, "LOOKED_THROUGH", 5)
    assert keys_of(admin_client, "?program__exact=beta") == ["Order-087", "Order-047", "Order-007"]
    assert keys_of(admin_client, "?program__exact=beta&kind__exact=sale") == keys_of(
        admin_client, "?program__exact=beta"
    )


def test_an_address_that_asks_for_a_part_of_an_indexed_text_reads_few_rows(
    admin_client: Client, writes: list[Write], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_lists, "LOOKED_THROUGH", 5)
    page = admin_client.get(f"{LIST}?program__contains=bet").context["cl"]
    assert (page.result_list, page.is_cut) == ([], True)


def test_a_search_finds_whole_values_in_usual_spellings(admin_client: Client, writes: list[Write]) -> None:
    assert keys_of(admin_client, "?q=Order-077") == keys_of(admin_client, "?q=order-077") == ["Order-077"]
    assert keys_of(admin_client, "?q=Order-07") == []


def test_rows_are_counted_up_to_a_limit(
    admin_client: Client, writes: list[Write], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_lists, "_rows_of", lambda _table: 0)  # an earlier test's ANALYZE stays
    assert "120 writes" in admin_client.get(LIST).content.decode()
    assert "1 write\n" in admin_client.get(f"{LIST}?q=Order-077").content.decode()
    monkeypatch.setattr(large_lists, "COUNTED", 100)
    assert "more than 100 writes" in admin_client.get(LIST).content.decode()


def test_closed_alarms_are_shown_where_they_are_asked_for(admin_client: Client, program: Program) -> None:
    now = timezone.now()
    for subject, closed_at in (("open-one", None), ("closed-one", now)):
        Alarm.objects.create(
            program=program, kind="gap", subject=subject, raised_at=now, last_at=now, closed_at=closed_at
        )
    pages = {
        "": (True, False), "?closed_at__isempty=0": (False, True), "?closed_at__isempty=all": (True, True),
        "?q=closed-one": (False, True),
    }  # fmt: skip
    for query, shown in pages.items():
        page = admin_client.get(reverse("admin:events_alarm_changelist") + query)
        subjects = {row.subject for row in page.context["cl"].result_list}
        assert ("open-one" in subjects, "closed-one" in subjects) == shown, query


def test_members_are_found_by_the_beginning_of_their_last_name(admin_client: Client, db: None) -> None:
    for number, name in enumerate(["Stone", "Stonewall", "Easton"]):
        Member.objects.create(program="acme", member_id=f"ACME-{number}", last_name=name)
    page = admin_client.get(reverse("admin:house_member_changelist"), {"q": "ston"})
    assert {row.last_name for row in page.context["cl"].result_list} == {"Stone", "Stonewall"}
