"""A web shop that calls the API of the program acme, with a key of every scope."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from loyaltyview.programs.models import Program
from providers.house.api.keys import make_key
from providers.house.api.models import ApiKey, Scope
from providers.house.models import Member
from tests.providers.house import build_house, build_member


@dataclass
class Shop:
    """Calls and returns the answer's JSON; `status` is that of the last answer."""

    key: str
    client: Client = field(default_factory=Client)
    status: int = 0
    last: Any = None

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.last = self.client.generic(
            method,
            f"/api/house/acme/v1/{path}",
            data,
            "application/json",
            headers={"authorization": f"Bearer {self.key}", **headers},
        )
        self.status = self.last.status_code
        return json.loads(self.last.content) if self.last.content else None

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: object = None) -> Any:
        return self.call("POST", path, body)


def build_key(*scopes: Scope, **fields: Any) -> str:
    return make_key(ApiKey(program="acme", name="Shop", scopes=[*scopes] or Scope.values, **fields))


@pytest.fixture
def shop(program: Program) -> Shop:
    build_house()
    return Shop(build_key())


@pytest.fixture
def mia(shop: Shop) -> Member:
    """A member with 250 points."""
    return build_member(points=250)


def mem(member: Member) -> str:
    return f"mem_{member.pk}"


def order_of(
    member: Member, order_id: str = "W-1", total: str = "80.00", **fields: object
) -> dict[str, object]:
    return {
        "order_id": order_id,
        "member": mem(member),
        "placed_at": "2026-05-04T12:30:00Z",
        "total": {"amount": total, "currency": "USD"},
        **fields,
    }


def return_of(
    member: Member, return_id: str = "R-1", total: str = "30.00", **fields: object
) -> dict[str, object]:
    return {
        "return_id": return_id,
        "order_id": "W-1",
        "member": mem(member),
        "returned_at": "2026-05-09T09:00:00+02:00",
        "total": {"amount": total, "currency": "USD"},
        **fields,
    }


def reservation_of(member: Member, key: str = "cart-1", **fields: object) -> dict[str, object]:
    item = {"kind": "reward", "item_id": "five-off", "points": 100}
    return {"key": key, "member": mem(member), **item, **fields}
