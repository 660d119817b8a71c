"""JSON in and out, and the two shapes in which NewStore refuses.

Most services of NewStore answer errors as `application/problem+json`; its promotions service answers
`{message, status, causes}`. Source: docs/contracts/newstore.md 4.0 and 9.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.clock import vendor_now

Json = dict[str, Any]
Refuse = Callable[[int, str, list[str]], "ApiError"]

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, Decimal),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


class ApiError(Exception):
    """An error answer of the API, raised where the fault is found."""

    def __init__(self, status: int, body: Json, mimetype: str = "application/json") -> None:
        super().__init__(body)
        self.status, self.body, self.mimetype = status, body, mimetype

    def response(self) -> Response:
        return answer(self.body, self.status, self.mimetype)


def problem(status: int, message: str, causes: list[str] | None = None, *, code: str = "") -> ApiError:
    """Return an error in the envelope of most NewStore services."""
    error_code = code or {400: "bad_request", 404: "resource_not_found", 409: "conflict"}.get(
        status, "unprocessable_entity" if status == 422 else "error"
    )
    body: Json = {"type": "about:blank", "status": status, "error_code": error_code, "message": message}
    if causes:
        body["messages"] = causes
    return ApiError(status, body, "application/problem+json")


def promotions_error(status: int, message: str, causes: list[str] | None = None) -> ApiError:
    """Return an error in the envelope of the promotions service."""
    return ApiError(status, {"message": message, "status": status, "causes": causes or []})


def answer(body: object, status: int = 200, mimetype: str = "application/json") -> Response:
    return Response(to_json(body), status, mimetype=mimetype)


def to_json(body: object) -> str:
    """Return JSON text; amounts become numbers in major units, as NewStore sends them."""
    return json.dumps(body, default=_plain, ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)


def read_json(request: Request, refuse: Refuse = problem) -> Json:
    """Return the body as an object; numbers with a fraction become Decimal. Refuse other bodies with 400."""
    if request.mimetype != "application/json":
        raise refuse(400, "Content-Type must be application/json", [])
    try:
        body = json.loads(request.get_data(), parse_float=Decimal)
    except ValueError as error:
        raise refuse(400, "the body is not JSON", [str(error)]) from error
    if not isinstance(body, dict):
        raise refuse(400, "the body must be an object", [])
    return body


def faults(body: Json, shape: Mapping[str, str], where: str = "") -> list[str]:
    """Return what is wrong with the fields of `body`, in words; empty when nothing is.

    `shape` maps each known field to its JSON types, such as `"string"` or `"string|null"`; a trailing
    `*` marks a field that must be there.
    """
    found = [f"{where}{name}: unknown field" for name in body if name not in shape]
    for name, spec in shape.items():
        if name not in body:
            if spec.endswith("*"):
                found.append(f"{where}{name}: missing")
            continue
        value, types = body[name], spec.rstrip("*").split("|")
        accepted = tuple(python for word in types for python in _TYPES[word])
        if not isinstance(value, accepted) or (isinstance(value, bool) and "boolean" not in types):
            found.append(f"{where}{name}: must be {' or '.join(types)}")
    return found


def timestamp(moment: datetime | None = None) -> str:
    """Return ISO 8601 in UTC with milliseconds and `Z`."""
    moment = moment or vendor_now()
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
