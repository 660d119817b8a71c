"""The admin's front page: what needs a person now, today's numbers, charts.

Each app adds its part (`add_part` in its `AppConfig.ready`); ops imports none of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model

from loyaltyview.ops.charts import Chart

Viewer = User | AnonymousUser


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that a person must do now. `url` is the list of it, "" where there is none. `since` is when
    the oldest item began to wait."""

    text: str
    url: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One of today's numbers; `value` is formatted."""

    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one app puts on the page."""

    needs: Sequence[Need] = ()
    numbers: Sequence[Number] = ()
    charts: Sequence[Chart] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    model: type[Model]
    position: int
    make: Callable[[Viewer], Part]


_sources: list[_Source] = []


def add_part(model: type[Model], position: int, make: Callable[[Viewer], Part]) -> None:
    """Show what `make` returns to users who may view `model`; parts stand in the order of `position`.
    `make` is called each time the page is shown: a few quick queries over a bounded time, and no HTTP."""
    _sources.append(_Source(model=model, position=position, make=make))


def overview_of(user: Viewer) -> Part | None:
    """Return the parts that this user may see as one, None where there is none."""
    visible = [source for source in _sources if may_view(user, source.model)]
    if not visible:
        return None
    parts = [source.make(user) for source in sorted(visible, key=lambda source: source.position)]
    return Part(
        needs=[need for part in parts for need in part.needs],
        numbers=[number for part in parts for number in part.numbers],
        charts=[chart for part in parts for chart in part.charts],
    )


def may_view(user: Viewer, model: type[Model]) -> bool:
    """Return whether admin shows this user the rows of `model`: users who may change them may view them."""
    names = (get_permission_codename(action, model._meta) for action in ("view", "change"))
    return any(user.has_perm(f"{model._meta.app_label}.{name}") for name in names)
