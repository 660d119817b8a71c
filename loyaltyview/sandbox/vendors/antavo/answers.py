"""Antavo's answers: JSON with the content type of JavaScript, and refusals in a configurable envelope."""

import json
from typing import Any

from werkzeug.wrappers import Response

WRAPPED, UNWRAPPED, VERSIONED = "wrapped", "unwrapped", "versioned"


class Refusal(Exception):
    """One of Antavo's errors. `code` 0 is its generic one."""

    def __init__(self, code: int, message: str, status: int = 400, kind: str = "BadRequestException") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.kind = kind

    def body(self, envelope: str = WRAPPED) -> dict[str, Any]:
        error = {"type": self.kind, "code": self.code, "message": self.message}
        if envelope == UNWRAPPED:
            return error
        return {"error": error} if envelope == WRAPPED else {"status": "error", "error": error}


def answer(data: Any, status: int = 200) -> Response:
    return Response(json.dumps(data), status, content_type="text/javascript; charset=UTF-8")


def not_found(message: str, code: int = 0) -> Refusal:
    return Refusal(code, message, 404, "NotFoundException")


def check(data: Any, fields: dict[str, str], where: str = "Property") -> dict[str, Any]:
    """Return `data` if it is an object of `fields` ({name: "string*"}, "*" for required) and no others."""
    if not isinstance(data, dict):
        raise Refusal(0, f"{where} should be an object")
    for name, value in data.items():
        if name not in fields:
            raise Refusal(0, f"{where} {name} is not configured")
        kinds = fields[name].rstrip("*").split("|")
        if not any(_is(value, kind) for kind in kinds):
            raise Refusal(0, f"{where} {name} should be {' or '.join(kinds)}")
    for name, kind in fields.items():
        if kind.endswith("*") and data.get(name) in (None, "", []):
            raise Refusal(0, f"{where} {name} cannot be empty")
    return data


def _is(value: Any, kind: str) -> bool:
    if kind == "bool" or isinstance(value, bool):
        return kind == "bool" and isinstance(value, bool)
    kinds: dict[str, type | tuple[type, ...]] = {
        "string": str,
        "int": int,
        "number": (int, float),
        "list": list,
        "object": dict,
        "null": type(None),
    }
    return isinstance(value, kinds[kind])
