"""The admin's front page: what needs a person now, today's numbers, charts.

Each app says what it knows (`add_part` in its `AppConfig.ready`); ops knows none of them.
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
    """Something that a person must do now. `url` is the list of it, "" where there is none; `since` is when
    the oldest of it began to wait."""

    text: str
    url: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One of today's numbers, `value` ready to be read."""

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
    """Have the front page show what `make` returns to whoever may view `model`, in the order of `position`.
    It is asked at each look at the page: a few quick queries over a bounded time, and no HTTP."""
    _sources.append(_Source(model=model, position=position, make=make))


def overview_of(user: Viewer) -> Part | None:
    """Return everything that this user may see, None where that is nothing."""
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
    """Whether admin shows this user the rows of `model`: who may change them may view them."""
    names = (get_permission_codename(action, model._meta) for action in ("view", "change"))
    return any(user.has_perm(f"{model._meta.app_label}.{name}") for name in names)
