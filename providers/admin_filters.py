"""Filters of large lists, whose choices need no look through the table."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import FieldListFilter, SimpleListFilter
from django.contrib.admin.views.main import SEARCH_VAR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.indexed_search import values_of

NEWEST = 1000
MOST_CHOICES = 100


class FewValues(FieldListFilter):
    """The choices are the values of a column with few of them, such as the program's slug, by its index."""

    def __init__(
        self, field: Any, request: Any, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.lookup_kwarg = f"{field_path}__exact"
        given = params.get(self.lookup_kwarg)
        self.chosen = given[-1] if given else None
        super().__init__(field, request, params, model, model_admin, field_path)
        self.values = sorted(
            {*self.read(model, model_admin, field_path), *([self.chosen] if self.chosen else [])}
        )

    def read(self, model: Any, model_admin: Any, field_path: str) -> list[Any]:
        return values_of(model, field_path)

    def expected_parameters(self) -> list[str | None]:
        return [self.lookup_kwarg]

    def has_output(self) -> bool:
        return bool(self.chosen) or len(self.values) > 1

    def choices(self, changelist: Any) -> Iterator[Any]:
        yield {
            "selected": self.chosen is None,
            "query_string": changelist.get_query_string(remove=[self.lookup_kwarg]),
            "display": _("All"),
        }
        for value in self.values:
            yield {
                "selected": value == self.chosen,
                "query_string": changelist.get_query_string({self.lookup_kwarg: value}),
                "display": value,
            }


class OpenFirst(SimpleListFilter):
    """Open ones, unless others are asked for or searched."""

    title = gettext_lazy("closed")
    parameter_name = "closed_at__isempty"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("No")), ("0", _("Yes")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        _all, *named = super().choices(changelist)
        named[0]["selected"] |= self.value() is None
        yield from named

    def queryset(self, request: Any, queryset: Any) -> Any:
        value = self.value() or ("all" if request.GET.get(SEARCH_VAR) else "1")
        return queryset if value == "all" else queryset.filter(closed_at__isnull=value != "0")


class NewestValues(FewValues):
    """The choices are the values that the newest rows of the list have."""

    def read(self, model: Any, model_admin: Any, field_path: str) -> list[Any]:
        rows = model._default_manager.order_by(*model_admin.get_ordering(None))
        newest = rows.values_list(field_path, flat=True)[:NEWEST]
        return list(dict.fromkeys(value for value in newest if value not in (None, "")))[:MOST_CHOICES]
