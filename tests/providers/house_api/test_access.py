"""Who may call, how often, and what a refusal looks like."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from loyaltyview.ops.overload import API, BUSY, LINE_TOO_LONG, SOCKET, lane_of
from loyaltyview.programs.models import Program
from providers.house.api.keys import revoke
from providers.house.api.models import ApiKey, Scope
from providers.house.models import Member
from tests.providers.house_api.conftest import Shop, build_key, mem
from tests.test_architecture import ROOT, imports_of, modules

CALLS = ROOT / "providers" / "house" / "api" / "calls"


def test_a_call_without_a_key_is_refused_before_anything_else(shop: Shop, mia: Member) -> None:
    answer = shop.client.get(f"/api/house/acme/v1/members/{mem(mia)}/balance")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "key_missing"
    assert not answer.cookies


def test_a_revoked_key_is_refused_at_once(shop: Shop, mia: Member) -> None:
    assert shop.get(f"members/{mem(mia)}/balance")["spendable"] == 250
    revoke(ApiKey.objects.get().prefix)
    assert shop.get(f"members/{mem(mia)}/balance")["code"] == "key_revoked"
    assert shop.status == 401


def test_a_key_allows_its_scopes_only(shop: Shop, mia: Member) -> None:
    shop.key = build_key(Scope.POINTS_READ)
    assert shop.get(f"members/{mem(mia)}/balance")["spendable"] == 250
    refused = shop.get(f"members/{mem(mia)}")
    assert (shop.status, refused["code"], refused["scope"]) == (403, "scope_missing", "members:read")


@pytest.mark.parametrize("change", [{"provider_kind": "pongo"}, {"is_active": False}])
def test_only_an_active_house_program_answers(shop: Shop, change: dict[str, Any]) -> None:
    program = Program.objects.get()
    vars(program).update(change)
    program.save()
    assert shop.post("members/search", {"email": "x@example.test"})["code"] == "not_found"


def test_a_key_that_hammers_is_asked_to_wait(shop: Shop, mia: Member) -> None:
    shop.key = build_key(calls_per_minute=2)
    path = f"members/{mem(mia)}/balance"
    codes = [shop.get(path).get("code") for _ in range(5)]  # a window may end in between
    assert "too_many_calls" in codes
    assert shop.status == 429
    assert int(shop.last["Retry-After"]) >= 1


def test_failed_attempts_from_one_address_are_limited(shop: Shop, mia: Member) -> None:
    right, path = shop.key, f"members/{mem(mia)}/balance"
    shop.key = "lvh_wrong"
    codes = [shop.get(path)["code"] for _ in range(21)]
    assert codes[:20] == ["invalid_key"] * 20
    assert codes[20] == "too_many_calls"
    shop.key = right
    assert shop.get(path)["code"] == "too_many_calls"
    other = shop.client.get(
        f"/api/house/acme/v1/{path}", headers={"authorization": f"Bearer {right}"}, REMOTE_ADDR="192.0.2.7"
    )
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "code", "status"),
    [
        ("GET", "nowhere", "not_found", 404),
        ("GET", "members/%00", "invalid_field", 422),
        ("GET", "members/mem_0/balance", "invalid_field", 422),
        ("GET", "members/mem_99999/balance", "member_not_found", 404),
        ("GET", "reservations/res_99999", "reservation_not_found", 404),
        ("DELETE", "orders", "method_not_allowed", 405),
    ],
)
def test_what_is_not_there_is_a_problem(shop: Shop, method: str, path: str, code: str, status: int) -> None:
    assert shop.call(method, path)["code"] == code
    assert shop.status == status
    assert shop.last["Content-Type"] == "application/problem+json"


def test_calls_need_no_cookie_and_no_token_of_a_form(shop: Shop) -> None:
    shop.client = Client(enforce_csrf_checks=True)
    assert shop.post("members/search", {"email": "nobody@example.test"}) == {"members": []}
    assert not shop.last.cookies
    assert "Access-Control-Allow-Origin" not in shop.last
    assert shop.last["Cache-Control"] == "no-store"


def test_an_error_of_ours_is_a_problem_too(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("providers.house.members.find", fail)
    answer = shop.post("members/search", {"email": "x@example.test"})
    assert (shop.status, answer["code"]) == (500, "internal")
    assert "secret" not in str(answer)


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_without_the_database_a_call_may_be_repeated(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        raise error("server at 192.0.2.1 closed the connection")

    monkeypatch.setattr("providers.house.api.access.recognise", fail)
    answer = shop.post("members/search", {"email": "x@example.test"})
    assert (shop.status, answer["code"], shop.last["Retry-After"]) == (503, "busy", "2")
    assert "192.0.2.1" not in str(answer)


def test_a_key_stands_in_no_log(shop: Shop, mia: Member, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    shop.get(f"members/{mem(mia)}/balance")
    shop.key = f"{shop.key}x"
    shop.get(f"members/{mem(mia)}/balance")
    assert caplog.records
    assert shop.key[17:40] not in caplog.text


def test_only_the_calls_import_pydantic_and_nothing_imports_the_calls_with_the_pages() -> None:
    """A process without a web shop pays nothing for them (decision 0051)."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in [*modules("loyaltyview"), *modules("providers")]
        if CALLS not in path.parents
        for name in imports_of(path)
        if name.partition(".")[0] in ("ninja", "pydantic") or name.startswith("providers.house.api.calls")
    ]
    assert not wrong


@pytest.mark.parametrize(("problem", "status"), [(BUSY, 503), (LINE_TOO_LONG, 414)])
def test_a_busy_server_answers_a_call_as_json(shop: Shop, problem: str, status: int) -> None:
    socket = SimpleNamespace(problem=problem)
    answer = shop.client.get("/api/house/acme/v1/members/mem_1", **{SOCKET: socket})
    assert (answer.status_code, answer.json()["code"]) == (status, problem.lower())
    assert answer["Content-Type"] == "application/problem+json"
    assert ("Retry-After" in answer) == (problem == BUSY)


@pytest.mark.parametrize("path", ["/api/house/acme/v1/orders", "/%61pi/house/acme/v1/orders", "/api/"])
def test_web_shops_share_a_lane_that_no_till_is_in(path: str) -> None:
    assert lane_of(path) == API
    assert API not in (lane_of("/launch/acme/"), lane_of("/l/5f0c/"), lane_of("/events/acme/"))
