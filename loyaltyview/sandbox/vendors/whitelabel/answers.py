"""The engine's envelope, its refusals, and strict checks of requests.

Source: docs/contracts/whitelabel.md 2 and 3 (envelope, errors). The gateway in front of it answers without a
`status`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import Json, answer, faults

LIST = {"limit", "skip", "order", "filter"}
LOCALES = ("en", "fr", "de", "it", "es", "nl", "ar", "tr")


class Fail(Exception):
    """The engine refuses: `{"status": "fail", "message": ...}`."""

    def __init__(self, status: int, message: str, causes: list[str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.causes = status, message, causes or []

    def response(self) -> Response:
        body: Json = {"status": "fail", "message": self.message}
        if self.causes:
            body["data"] = {"causes": self.causes}
        return answer(body, self.status)


def success(data: object, status: int = 200) -> Response:
    return answer({"status": "success", "data": data}, status)


def gateway(status: int, message: str) -> Response:
    return answer({"message": message}, status)


def read_body(request: Request, shape: Mapping[str, str]) -> Json:
    """Return the body as an object of this shape (see `loyaltyview.sandbox.answers.faults`)."""
    if request.mimetype != "application/json":
        raise Fail(400, "Content-Type must be application/json")
    try:
        body = json.loads(request.get_data())
    except ValueError as error:
        raise Fail(400, "the body is not JSON") from error
    if not isinstance(body, dict):
        raise Fail(400, "the body must be an object")
    # Here a float is a number, too.
    numbers = {key: int(value) if isinstance(value, float) else value for key, value in body.items()}
    if found := faults(numbers, shape):
        raise Fail(400, "validation failed", found)
    return body


def check_text(body: Json, name: str, longest: int, pattern: str = "") -> None:
    """Refuse a text that is empty, too long, or does not match the pattern."""
    value = body.get(name)
    if value is None:
        return
    if not 1 <= len(value) <= longest or (pattern and not re.search(pattern, value)):
        raise Fail(400, "validation failed", [f"{name}: not valid"])


def read_list(request: Request, *, more: frozenset[str] = frozenset(), needs_order: bool = True) -> Json:
    """Return limit, skip and filter of a list call; unknown parameters are refused."""
    args = request.args
    if unknown := set(args) - LIST - {"locale"} - more:
        raise Fail(400, "validation failed", [f"{name}: unknown parameter" for name in sorted(unknown)])
    check_locale(request)
    limit, skip, order = args.get("limit", "100"), args.get("skip", "0"), args.get("order")
    if not limit.isdigit() or not 1 <= int(limit) <= 1000 or not skip.isdigit():
        raise Fail(400, "validation failed", ["limit: 1 to 1000, skip: 0 or more"])
    if order not in ("ASC", "DESC") and (needs_order or order is not None):
        raise Fail(400, "validation failed", ["order: ASC or DESC"])
    try:
        wanted = json.loads(args.get("filter", "{}"))
    except ValueError as error:
        raise Fail(400, "validation failed", ["filter: not JSON"]) from error
    if not isinstance(wanted, dict):
        raise Fail(400, "validation failed", ["filter: must be an object"])
    return {"limit": int(limit), "skip": int(skip), "order": order or "DESC", "filter": wanted}


def check_locale(request: Request, *, allowed: frozenset[str] = frozenset()) -> None:
    """Refuse a locale that the engine has no texts for."""
    if request.args.get("locale", "en") not in LOCALES:
        raise Fail(400, "validation failed", ["locale: unknown"])
    if request.method != "GET" or not allowed:
        return
    if unknown := set(request.args) - allowed:
        raise Fail(400, "validation failed", [f"{name}: unknown parameter" for name in sorted(unknown)])


def page(rows: list[Json], asked: Json) -> list[Json]:
    """Return one page of `rows`, which stand oldest first."""
    ordered = rows if asked["order"] == "ASC" else rows[::-1]
    return ordered[asked["skip"] : asked["skip"] + asked["limit"]]


def matches(row: Any, wanted: Any) -> bool:
    """Return whether `row` matches every field of the filter, nested objects included."""
    if isinstance(wanted, dict):
        return isinstance(row, dict) and all(matches(row.get(key), value) for key, value in wanted.items())
    if isinstance(row, str) and isinstance(wanted, str):
        return row.casefold() == wanted.casefold()
    return bool(row == wanted)
