"""Admin lists of tables that grow without limit: each page, filter and search reads few rows, by an index.

docs/decisions/0060-large-lists.md says why. A list reads its rows in the order of one index, the newest
first: by `time_field` and the key, or by the key alone. Links lead to older rows; pages have no numbers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import build_q_object_from_lookup_parameters, prepare_lookup_value
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import make_aware
from django.utils.translation import gettext as _

from providers.indexed_search import find

AFTER, UNTIL = "after", "until"  # parameters of the address
PER_PAGE = 50
# A filter without an index looks through so many rows, then asks.
LOOKED_THROUGH = 20_000
COUNTED = 10_000
# An index finds what one of the filters asks for, not a part of a text, which only an address can ask for.
INDEXED_LOOKUPS = ("", "exact", "id__exact", "isempty")


class LargeChangeList(ChangeList):
    """One page of a large list."""

    model_admin: Any
    older_query = ""  # of the link to older rows
    looked_back_to: datetime | None = None
    is_cut = False
    count_text = ""

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self.after, self.until = request.GET.get(AFTER, ""), request.GET.get(UNTIL, "")
        super().__init__(request, *args)
        self.params.pop(AFTER, None)  # the search form sends the others again

    @property
    def keys(self) -> list[str]:
        """The columns of the order."""
        return [self.time_field, "pk"] if self.time_field else ["pk"]

    @property
    def time_field(self) -> str:
        return str(self.model_admin.time_field)

    @property
    def is_oldest_first(self) -> bool:
        return not self.queryset.query.order_by[0].startswith("-")

    @property
    def first_query(self) -> str:
        return self.get_query_string()

    @property
    def without_search(self) -> str:
        return self.get_query_string(remove=[SEARCH_VAR])

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found = super().get_filters_params(params)
        if any("\0" in value for values in found.values() for value in values):
            raise IncorrectLookupParameters  # PostgreSQL stores none
        return {name: value for name, value in found.items() if name not in (AFTER, UNTIL)}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Another filter or order begins with its first page."""
        return super().get_query_string(new_params, [*(remove or []), AFTER])

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        wanted = super().get_ordering(request, queryset)[0]
        sign = "" if wanted == self.keys[0] else "-"
        return [f"{sign}{key}" for key in self.keys]

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        rows = super().get_queryset(request, exclude_parameters)
        return rows.filter(self._until())

    def get_results(self, request: HttpRequest) -> None:
        end = self._end_of_look(request)
        rows = self.queryset.filter(self._behind(self.after), self._not_behind(end))
        rows = rows.defer(*self.model_admin.list_defer).prefetch_related(*self._related())
        page = list(rows[: self.list_per_page + 1])
        has_more = len(page) > self.list_per_page
        self.result_list = page[: self.list_per_page]
        self.model_admin.complete(self.result_list)
        if has_more:
            self.older_query = self.get_query_string({AFTER: self._cursor(self.result_list[-1])})
        elif end:
            self.older_query, self.is_cut = self.get_query_string({AFTER: end}), True
            self.looked_back_to = _read_cursor(end)[0] if self.time_field else None
        self._count(has_more=has_more, has_end=bool(end))
        self.multi_page, self.can_show_all, self.show_all = bool(self.older_query or self.after), False, False
        self.show_admin_actions, self.show_full_result_count, self.full_result_count = True, False, None

    def apply_select_related(self, qs: Any) -> Any:
        """Join nothing: what the rows of one page belong to is read by its keys, and each only once."""
        return qs

    def _related(self) -> list[str]:
        fields = {field.name for field in self.opts.fields if field.remote_field}
        named: Any = self.list_select_related or ()
        return list(dict.fromkeys([*(fields & {*self.list_display}), *named]))

    def _cursor(self, row: Any) -> str:
        moment = f"{getattr(row, self.time_field).isoformat()}~" if self.time_field else ""
        return f"{moment}{row.pk}"

    def _behind(self, cursor: str) -> Q:
        """Return the condition of the rows behind the one that `cursor` names."""
        return self._side(cursor, "gt" if self.is_oldest_first else "lt", "")

    def _not_behind(self, cursor: str) -> Q:
        """Return the condition of that row and those before it."""
        return self._side(cursor, "lt" if self.is_oldest_first else "gt", "e")

    def _side(self, cursor: str, way: str, also_itself: str) -> Q:
        if not cursor:
            return Q()
        try:
            moment, pk = _read_cursor(cursor)
            key = self.opts.pk.to_python(pk)
        except (ValueError, OverflowError, ValidationError) as error:
            raise IncorrectLookupParameters from error
        this_key = Q(**{f"pk__{way}{also_itself}": key})
        if not self.time_field:
            return this_key
        if moment is None:
            raise IncorrectLookupParameters
        # The first comparison is what the index needs.
        inside = Q(**{f"{self.time_field}__{way}e": moment})
        return inside & (Q(**{f"{self.time_field}__{way}": moment}) | this_key)

    def _until(self) -> Q:
        if not self.until or not self.time_field:
            return Q()
        try:
            day = date.fromisoformat(self.until)
            midnight = make_aware(datetime.combine(day + timedelta(days=1), time()))
        except (ValueError, OverflowError) as error:
            raise IncorrectLookupParameters from error
        return Q(**{f"{self.time_field}__lt": midnight})

    def _end_of_look(self, request: HttpRequest) -> str:
        """Return where the look ends because a filter has no index, "" where it need not end."""
        if self.query:
            return ""
        asked = {name: values for name, values in self.get_filters_params().items() if values}
        by_time = {name: asked.pop(name) for name in list(asked) if name.split("__")[0] == self.time_field}
        indexed = self._indexed(asked)
        if set(asked) <= set(indexed):
            return ""
        rows = (
            self._filtered(request, indexed | by_time)
            .filter(self._until(), self._behind(self.after))
            .order_by(*self.queryset.query.order_by)
        )
        last = rows.only(*self.keys)[LOOKED_THROUGH - 1 : LOOKED_THROUGH].first()
        return self._cursor(last) if last else ""

    def _filtered(self, request: HttpRequest, asked: dict[str, Any]) -> Any:
        rows: Any = self.root_queryset
        for name, values in asked.items():
            spec = next((each for each in self.filter_specs if name in each.expected_parameters()), None)
            lookup = {} if spec else {name: prepare_lookup_value(name, values)}
            rows = rows.filter(build_q_object_from_lookup_parameters(lookup))
            rows = spec.queryset(request, rows) if spec else rows
        return rows

    def _indexed(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the one of the filters whose index is read."""
        for name, values in asked.items():
            field, _sep, lookup = name.partition("__")
            if lookup not in INDEXED_LOOKUPS:
                continue
            rare = self.model_admin.rare_values.get(field, ())
            if field in self.model_admin.indexed_filters or set(values) <= set(rare):
                return {name: values}
        return {}

    def _count(self, *, has_more: bool, has_end: bool) -> None:
        """Set how many rows there are, as far as it can be said by reading few of them."""
        shown = len(self.result_list)
        self.result_count = shown
        if has_end or (has_more and self.after):
            return
        if not has_more:
            self.count_text = _("%(n)s shown") % {"n": shown} if self.after else f"{shown}"
            return
        is_whole = not (self.query or self.until or self.get_filters_params())
        estimate = _rows_of(self.opts.db_table) if is_whole else 0
        if estimate > COUNTED:
            self.result_count = estimate
            self.count_text = _("about %(n)s") % {"n": f"{estimate:,}"}
            return
        self.result_count = self.queryset.only("pk")[: COUNTED + 1].count()
        is_exact = self.result_count <= COUNTED
        self.count_text = (
            f"{self.result_count:,}" if is_exact else _("more than %(n)s") % {"n": f"{COUNTED:,}"}
        )


class LargeList(admin.ModelAdmin):  # type: ignore[type-arg]
    """The list of a table that grows with sales, members or deliveries.

    `search_fields` are compared as a whole, in any case that is usual; each has an index. Other tables'
    fields are allowed (`member__member_id`).
    """

    time_field = ""  # of an index together with the key; "" where the key grows with time
    indexed_filters: Sequence[str] = ()  # fields of an index that is followed by the order's columns
    rare_values: dict[str, Sequence[str]] = {}  # values of a filter that an index of their own finds
    search_beginnings: Sequence[str] = ()  # fields of which the beginning is enough
    list_defer: Sequence[str] = ()  # large columns that the list does not show

    change_list_template = "admin/large_list.html"
    list_per_page = PER_PAGE
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    date_hierarchy = None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LargeChangeList]:
        return LargeChangeList

    def get_sortable_by(self, request: HttpRequest) -> list[Any]:
        return [self.time_field] if self.time_field else []

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [f"-{self.time_field}", "-pk"] if self.time_field else ["-pk"]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        with planned_by_values():
            response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        texts = self.spellings(search_term.strip())
        if not texts:
            return queryset, False
        return queryset.filter(pk__in=self.find_keys(texts)), False

    def complete(self, rows: list[Any]) -> None:
        """Add to the rows of one page what its columns show besides."""

    def find_keys(self, texts: Sequence[str]) -> list[Any]:
        """Return the keys of the rows that the search finds."""
        return find(self.model, self.search_fields, texts, self.search_beginnings)

    def spellings(self, text: str) -> list[str]:
        """Return what is compared for `text`: most columns have their letters in one case."""
        return list(dict.fromkeys([text, text.upper(), text.lower(), text.title()])) if text else []


def _read_cursor(cursor: str) -> tuple[datetime | None, str]:
    moment, _tilde, pk = cursor.rpartition("~")
    return datetime.fromisoformat(moment).astimezone(UTC) if moment else None, pk


def _rows_of(table: str) -> int:
    """Return about how many rows the table has, 0 where the database keeps no such number."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        return int(cursor.fetchone()[0])


@contextmanager
def planned_by_values() -> Iterator[None]:
    """Let PostgreSQL plan each query for its own values: how it finds a frequent state is wrong for a rare
    one, and a prepared statement has one plan for both."""
    connection.ensure_connection()
    raw: Any = connection.connection
    threshold = getattr(raw, "prepare_threshold", None)
    if threshold is None:
        yield
        return
    raw.prepare_threshold = None
    try:
        yield
    finally:
        raw.prepare_threshold = threshold
