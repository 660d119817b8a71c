"""Customer profiles: search, get-or-create, and the lock on changes."""

from typing import Any

import pytest

from loyaltyview.sandbox.sample import CUSTOMERS
from tests.sandbox.conftest import Api

PATH = "/customer/profiles"
MIA = f"{PATH}/{CUSTOMERS['mia'].profile_id}"


@pytest.mark.parametrize("query", ["mia@ex", "MIA STONE", "%2B16175550100", "5550100", "C-100231"])
def test_q_finds_part_of_email_name_or_phone_or_a_whole_id(api: Api, query: str) -> None:
    body = api.call("GET", f"{PATH}?q={query}").json()
    assert [profile["email"] for profile in body["profiles"]] == ["mia@example.test"]
    assert body["pagination_info"] == {"count": 1, "offset": 0, "total": 1}


def test_part_of_an_id_finds_nothing(api: Api) -> None:
    assert api.call("GET", f"{PATH}?q=C-10023").json()["profiles"] == []


def test_pages_are_cut_by_offset_and_count(api: Api) -> None:
    body = api.call("GET", f"{PATH}?q=example.test&offset=1&count=2").json()
    assert [profile["first_name"] for profile in body["profiles"]] == ["Leo", "Ana"]
    assert body["pagination_info"] == {"count": 2, "offset": 1, "total": 4}


@pytest.mark.parametrize("query", ["count=0", "count=501", "count=x", "offset=-1", "offset=10000"])
def test_invalid_pages_are_400(api: Api, query: str) -> None:
    assert api.call("GET", f"{PATH}?{query}").status_code == 400


def test_unknown_profile_is_404(api: Api) -> None:
    assert api.call("GET", f"{PATH}/NS-none").status_code == 404


def test_create_gives_the_known_profile_unchanged(api: Api) -> None:
    answer = api.call("POST", PATH, {"email": "MIA@example.test", "first_name": "Maria"})
    assert answer.status_code == 201
    assert answer.json()["first_name"] == "Mia"


def test_new_profile_can_be_read(api: Api) -> None:
    made = api.call("POST", PATH, {"email": "new@example.test", "full_name": "Nia New"}).json()
    read = api.call("GET", f"{PATH}/{made['id']}").json()
    assert (read["first_name"], read["last_name"], read["email"]) == ("Nia", "New", "new@example.test")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"email": "nobody"}, 422),
        ({"email": "a@b.test", "phone_number": "617 555"}, 422),
        ({"email": "a@b.test", "full_name": "A B", "first_name": "A"}, 400),
        ({"email": "a@b.test", "loyalty_id": "1"}, 400),
        ({"email": "a@b.test", "extended_attributes": {"loyalty_id": "L-1"}}, 422),
        ({"email": "a@b.test", "extended_attributes": {"x": {"data_type": "int", "value": "1"}}}, 422),
    ],
)
def test_wrong_profile_is_refused(api: Api, body: dict[str, Any], status: int) -> None:
    assert api.call("POST", PATH, body).status_code == status


def attributes(**values: str) -> dict[str, Any]:
    return {name: {"data_type": "string", "value": value} for name, value in values.items()}


def test_given_attributes_replace_all_others(api: Api) -> None:
    first = api.call("GET", MIA).json()
    body = {"last_updated_at": first["updated_at"], "extended_attributes": attributes(size="M", vip="1")}
    second = api.call("PATCH", MIA, body).json()
    body = {"last_updated_at": second["updated_at"], "extended_attributes": attributes(loyalty_id="L-42")}
    assert api.call("PATCH", MIA, body).json()["extended_attributes"] == attributes(loyalty_id="L-42")


def test_change_over_a_newer_profile_is_409(api: Api) -> None:
    seen = api.call("GET", MIA).json()["updated_at"]
    assert api.call("PATCH", MIA, {"last_updated_at": seen, "last_name": "Rock"}).status_code == 200
    again = api.call("PATCH", MIA, {"last_updated_at": seen, "last_name": "Pebble"})
    assert (again.status_code, again.json()["error_code"]) == (409, "conflict")
    assert api.call("GET", MIA).json()["full_name"] == "Mia Rock"


def test_change_without_the_time_it_was_read_is_422(api: Api) -> None:
    assert api.call("PATCH", MIA, {"last_name": "Rock"}).status_code == 422
