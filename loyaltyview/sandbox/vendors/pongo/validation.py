"""How Pongo checks requests and refuses them: Laravel's validation and envelopes
(docs/contracts/pongo.md 7)."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from werkzeug.wrappers import Request, Response

Json = dict[str, Any]
Rule = Callable[[Any], str]


class Refused(Exception):
    """An error answer, raised where the fault is found."""

    def __init__(
        self, status: int, message: str, errors: Mapping[str, list[str]] | None = None, code: str = ""
    ):
        super().__init__(message)
        body: Json = {"message": message}
        if errors:
            body["errors"] = dict(errors)
        if code:
            body["code"] = code
        self.status, self.body = status, body

    def response(self) -> Response:
        return answer(self.body, self.status)


def answer(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/json")


def wrapped(body: object, status: int = 200) -> Response:
    """Return an answer in its `data` wrapper."""
    return answer({"data": body}, status)


def not_found() -> Refused:
    return Refused(404, "Not found.")


def invalid(**errors: str) -> Refused:
    """Return a 422 in Laravel's shape; the keywords are fields."""
    return Refused(422, "The given data was invalid.", {name: [text] for name, text in errors.items()})


def read_body(request: Request, rules: Mapping[str, Rule], required: frozenset[str] = frozenset()) -> Json:
    """Return the body, checked: unknown, missing and ill-typed fields are refused.

    Laravel ignores unknown fields, so a misspelt one would do nothing. Here it is an error.
    """
    if request.mimetype == "application/x-www-form-urlencoded":
        body: Any = request.form.to_dict()
    else:
        try:
            body = json.loads(request.get_data() or b"{}")
        except ValueError as error:
            raise Refused(400, "Malformed JSON.") from error
    if not isinstance(body, dict):
        raise Refused(400, "The body must be an object.")
    check(body, rules, required)
    return body


def check(body: Json, rules: Mapping[str, Rule], required: frozenset[str], where: str = "") -> None:
    errors = {where + name: ["This field is unknown."] for name in body if name not in rules}
    errors |= {where + name: ["This field is required."] for name in required if body.get(name) is None}
    for name, rule in rules.items():
        if name in body and body[name] is not None and (problem := rule(body[name])):
            errors[where + name] = [problem]
    if errors:
        raise Refused(422, "The given data was invalid.", errors)


# --- Rules: each returns the fault, "" without one --------------------------------------------------


def string(value: Any) -> str:
    return "" if isinstance(value, str) and value else "This must be a string."


def integer(value: Any) -> str:
    return "" if isinstance(value, int) and not isinstance(value, bool) else "This must be an integer."


def boolean(value: Any) -> str:
    return "" if isinstance(value, bool) else "This must be true or false."


def strings(value: Any) -> str:
    is_fitting = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return "" if is_fitting else "This must be an array of strings."


def objects(value: Any) -> str:
    is_fitting = isinstance(value, list) and all(isinstance(item, dict) for item in value)
    return "" if is_fitting else "This must be an array of objects."


def an_object(value: Any) -> str:
    return "" if isinstance(value, dict) else "This must be an object."


def token(value: Any) -> str:
    """Check a value of an enumeration without documented members: a lower-case word."""
    return "" if isinstance(value, str) and re.fullmatch(r"[a-z_]+", value) else "This is invalid."


def email(value: Any) -> str:
    is_fitting = isinstance(value, str) and re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value)
    return "" if is_fitting else "This must be a valid email address."


def pin(value: Any) -> str:
    return "" if isinstance(value, str) and re.fullmatch(r"\d{4}", value) else "This must be 4 digits."


def moment(value: Any) -> str:
    try:
        is_aware = datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        is_aware = False
    return "" if is_aware else "This does not match the format Y-m-d\\TH:i:sP."


def past_day(value: Any) -> str:
    try:
        is_past = date.fromisoformat(value) < date.today()  # noqa: DTZ011 - a birthday has no time zone
    except (TypeError, ValueError):
        is_past = False
    return "" if is_past else "This must be a date before today."


def gender(value: Any) -> str:
    return "" if value in ("man", "woman", "undisclosed", "other") else "This is invalid."


def phone_digits(value: Any) -> str:
    """Return a phone as Pongo keeps it: digits, without `+`, `00`, blanks and dots. "" for none."""
    digits = re.sub(r"[\s.+]", "", value) if isinstance(value, str) else ""
    digits = digits.removeprefix("00")
    return digits if re.fullmatch(r"\d{8,15}", digits) else ""


def phone(value: Any) -> str:
    return "" if phone_digits(value) else "This must be an international phone number."
