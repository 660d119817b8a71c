"""A stream that delivers, a vendor in memory, and a redemption whose code an order carries."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from loyaltyview.events import earning
from loyaltyview.events.models import Event
from loyaltyview.events.processing import run_one
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import IssuedCode, Redemption, State

from . import deliveries
from .vendor import Books, MemoryVendor

Deliver = Callable[..., int]
Work = Callable[..., int]


@pytest.fixture
def deliver(client: Client, program: Program) -> Deliver:
    """Send one event as NewStore does; returns the status of our answer."""

    def send(name: str, payload: Any, *, key: str = "event-key", **changes: Any) -> int:
        body = deliveries.envelope(name, payload, **changes)
        status: int = post(client, body, key).status_code
        return status

    return send


def post(client: Client, body: bytes, key: str = "event-key", program: str = "acme") -> Any:
    return client.post(
        f"/events/{program}/newstore/",
        data=body,
        content_type="application/json",
        headers={"authorization": f"Bearer {key}", "user-agent": "newstore", "cookie": "a=b"},
    )


@pytest.fixture
def work() -> Callable[[], int]:
    """Let the worker handle all events, also those that wait for their next attempt."""

    def run(rounds: int = 1) -> int:
        handled = 0
        for _ in range(rounds):
            Event.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
            while run_one():
                handled += 1
        return handled

    return run


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch, program: Program) -> Books:
    books = Books(depth=len(connection.savepoint_ids))
    monkeypatch.setattr(Program, "provider", lambda self: MemoryVendor(books))
    monkeypatch.setattr(earning, "read_loyalty_id", lambda program, key: books.loyalty_ids.get(key, ""))
    return books


@pytest.fixture
def redemption(program: Program) -> Redemption:
    """Mia's reward, whose code was shown at the till."""
    now = timezone.now()
    row = Redemption.objects.create(
        program=program,
        state=State.REVEALED,
        key="k-1",
        fingerprint="f",
        launch_id="launch-1",
        cart={
            "cart_id": "cart-1",
            "total": {"amount": "100.00", "currency": "USD"},
            "items": [],
            "store": "",
        },
        cart_id="cart-1",
        member_ref="mia",
        kind="reward",
        item_id="ten-off",
        title="$10 off",
        points=200,
        discount={
            "kind": "fixed",
            "amount": {"amount": "10.00", "currency": "USD"},
            "percent": None,
            "skus": [],
            "minimum": None,
            "raw": "",
        },
        saving=Decimal("10.00"),
        currency="USD",
        code=deliveries.CODE,
        code_expires_at=now + timedelta(minutes=15),
        provider_ref="ref-1",
        requested_at=now,
    )
    IssuedCode.objects.create(program=program, redemption=row, code=deliveries.CODE, issued_at=now)
    return row
