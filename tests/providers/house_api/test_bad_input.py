"""Every bad input is refused by 4xx with the name of the field, and nothing is written."""

import json

import pytest

from providers.house.models import Entry, Member
from tests.providers.house_api.conftest import Shop, order_of, reservation_of


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (b"", "invalid_field", 422),
        (b"{", "wrong_json", 400),
        (b"\xff\xfe", "wrong_json", 400),
        (b'{"order_id": "1", "order_id": "2"}', "wrong_json", 400),
        (b'{"points": NaN}', "wrong_json", 400),
        (b"[" * 5000, "wrong_json", 400),
        (b'{"n": ' + b"9" * 5000 + b"}", "wrong_json", 400),
        (b"[]", "invalid_field", 422),
        (b"null", "invalid_field", 422),
        (b'"' + b"x" * 70_000 + b'"', "body_too_large", 413),
    ],
)
def test_a_body_that_is_no_order(shop: Shop, body: bytes, code: str, status: int) -> None:
    assert shop.post("orders", body)["code"] == code
    assert shop.status == status


def test_a_body_of_ten_megabytes_is_refused(shop: Shop) -> None:
    assert shop.post("orders", b" " * 10_000_000)["code"] == "body_too_large"
    assert shop.status == 413


def test_a_form_is_no_json(shop: Shop) -> None:
    answer = shop.client.post(
        "/api/house/acme/v1/orders", {"order_id": "1"}, headers={"authorization": f"Bearer {shop.key}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_media_type")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"total": {"amount": 80.0, "currency": "USD"}}, "total.amount"),
        ({"total": {"amount": 80, "currency": "USD"}}, "total.amount"),
        ({"total": {"amount": "-80.00", "currency": "USD"}}, "total.amount"),
        ({"total": {"amount": "8e1", "currency": "USD"}}, "total.amount"),
        ({"total": {"amount": "80.005", "currency": "USD"}}, "total.amount"),
        ({"total": {"amount": "٨٠", "currency": "USD"}}, "total.amount"),
        ({"total": {"amount": "9999999999", "currency": "USD"}}, "total.amount"),
        ({"total": {"amount": "80.00", "currency": "EUR"}}, "total.currency"),
        ({"total": {"amount": "80.00", "currency": "usd"}}, "total.currency"),
        ({"total": {"amount": "80.00"}}, "total.currency"),
        ({"total": "80.00"}, "total"),
        ({"placed_at": "2026-05-04T12:30:00"}, "placed_at"),
        ({"placed_at": "2026-05-04"}, "placed_at"),
        ({"placed_at": 1777897800}, "placed_at"),
        ({"placed_at": "2026-02-30T12:30:00Z"}, "placed_at"),
        ({"placed_at": "9999-12-31T23:59:59Z"}, "placed_at"),
        ({"placed_at": "0001-01-01T00:00:00+14:00"}, "placed_at"),
        ({"order_id": ""}, "order_id"),
        ({"order_id": "W\x001"}, "order_id"),
        ({"order_id": "W 1"}, "order_id"),
        ({"order_id": 17}, "order_id"),
        ({"order_id": "x" * 101}, "order_id"),
        ({"member": "ACME-000001"}, "member"),
        ({"member": None}, "member"),
        ({"lines": [{"line_id": "1"}]}, "lines.0.product_id"),
        ({"lines": {}}, "lines"),
        ({"coupon": "X"}, "coupon"),
    ],
)
def test_a_field_of_an_order_is_wrong(shop: Shop, mia: Member, change: dict[str, object], field: str) -> None:
    refused = shop.post("orders", order_of(mia) | change)
    assert (shop.status, refused["code"]) == (422, "invalid_field")
    assert field in [error["field"] for error in refused["errors"]]
    assert not Entry.objects.filter(kind="earn").exists()


@pytest.mark.parametrize(
    ("path", "change", "field"),
    [
        ("reservations", {"points": "100"}, "points"),
        ("reservations", {"points": True}, "points"),
        ("reservations", {"points": -1}, "points"),
        ("reservations", {"points": 100.0}, "points"),
        ("reservations", {"minutes": 1441}, "minutes"),
        ("reservations", {"kind": "gift"}, "kind"),
        ("reservations", {"key": "a/b"}, "key"),
        ("members", {"email": "mia"}, "email"),
        ("members", {"phone": "617 555 0100"}, "phone"),
        ("members", {"email": "mia@example.com", "first_name": "Mia\x00"}, "first_name"),
        ("members", {"email": "mia@example.com", "first_name": "\ud800"}, "first_name"),
        ("members", {"email": "mia@example.com", "consents": {"email": True}}, "consents.email"),
        ("members/search", {"member_number": "\x00"}, "member_number"),
        ("members/search", {"member_number": "x" * 71}, "member_number"),
    ],
)
def test_a_field_of_another_body_is_wrong(
    shop: Shop, mia: Member, path: str, change: dict[str, object], field: str
) -> None:
    body = reservation_of(mia) | change if path == "reservations" else change
    refused = shop.post(path, json.dumps(body).encode())
    assert shop.status == 422
    assert [error["field"] for error in refused["errors"]] == [field]
