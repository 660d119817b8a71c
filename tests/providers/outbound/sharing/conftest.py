"""A read that counts, and a clock that stands still."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
import time_machine

from providers.outbound import sharing
from providers.outbound.sharing import PAGE_S, TAP_S

KEY = ("acme", "GET", "/customers/1")
MIA, LEO = "L-1", "L-2"


class Reads:
    """Answers 1, 2, 3 and so on."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return self.count


@pytest.fixture
def read() -> Reads:
    return Reads()


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(0, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def _monotonic(clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing.time, "monotonic", time.time)


def page(member: str = MIA) -> AbstractContextManager[None]:
    return sharing.sharing("acme", member, max_age_s=PAGE_S)


def tap(member: str = MIA) -> AbstractContextManager[None]:
    return sharing.sharing("acme", member, max_age_s=TAP_S)
