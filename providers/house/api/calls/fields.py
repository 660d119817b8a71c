"""The types of fields, with their rules and their text in the OpenAPI document."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import BaseModel, ConfigDict
from pydantic_core import core_schema

from providers import clock
from providers.currencies import decimals_of
from providers.house.api.problems import wrong_field
from providers.types import Birthday, Money

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)"
AMOUNT = r"\d{1,9}(\.\d{1,3})?"
BIRTHDAY = r"((\d{4})-)?(\d\d)-(\d\d)"
LEAP_YEAR = 2000
OLDEST_BIRTH = date(1900, 1, 1)
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
MOST_AHEAD = timedelta(days=1)
UNSTORED = ("Cc", "Cs")  # control characters, NUL among them, and halves of characters


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """Annotates a field that takes text only and passes it through `check`; `schema` describes it."""

    check: Callable[[str], Any]
    schema: Mapping[str, Any] = field(default_factory=dict)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", **self.schema}

    def _read(self, value: object) -> Any:
        if not isinstance(value, str):
            raise ValueError("must be text")  # pydantic reports a ValueError only
        return self.check(value)


def _matching(pattern: str, problem: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(problem)
        return value

    return check


def _pattern(pattern: str, problem: str, *examples: str) -> Checked:
    schema: dict[str, Any] = {"pattern": f"^{pattern}$"}
    return Checked(_matching(pattern, problem), schema | ({"examples": list(examples)} if examples else {}))


def _name(value: str) -> str:
    if any(unicodedata.category(each) in UNSTORED for each in value):
        raise ValueError("must not contain control characters")
    if len(value) > 100:
        raise ValueError("must have at most 100 characters")
    return value.strip()


def _email(value: str) -> str:
    try:
        validate_email(value)
    except ValidationError as error:
        raise ValueError("must be an e-mail address") from error
    if len(value) > 254:
        raise ValueError("must have at most 254 characters")
    return value.lower()


def _time(value: str) -> datetime:
    if not re.fullmatch(TIME, value, re.ASCII):
        raise ValueError("must be a time with its zone, such as 2026-05-04T12:30:00Z")
    try:
        time = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("must be a time that exists") from error
    if not OLDEST <= time <= clock.now() + MOST_AHEAD:
        raise ValueError("must be between 2000 and now")
    return time


def _birthday(value: str) -> Birthday:
    form = re.fullmatch(BIRTHDAY, value, re.ASCII)
    if not form:
        raise ValueError("must be a day such as 1990-05-04, or 05-04 without the year")
    year, month, day = form[2], int(form[3]), int(form[4])
    try:
        born = date(int(year or LEAP_YEAR), month, day)
    except ValueError as error:
        raise ValueError("must be a day that exists") from error
    if year and not OLDEST_BIRTH <= born <= clock.now().date():
        raise ValueError("must be a day in the past")
    return Birthday(month=month, day=day, year=int(year) if year else None)


def _one_line(most: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not value.strip() or len(value) > most:
            raise ValueError(f"must have 1 to {most} characters")
        if any(unicodedata.category(each) in UNSTORED for each in value):
            raise ValueError("must not contain control characters")
        return value

    return check


MemberId = Annotated[str, _pattern(r"mem_[1-9]\d{0,17}", "must be an id such as mem_12")]
ReservationId = Annotated[str, _pattern(r"res_[1-9]\d{0,17}", "must be an id such as res_7")]
Reference = Annotated[
    str, _pattern(r"[!-~]{1,100}", "must have 1 to 100 letters, digits or signs, without blanks")
]
CartKey = Annotated[str, _pattern(r"[A-Za-z0-9_-]{1,64}", "must have 1 to 64 letters, digits, - or _")]
ItemId = Annotated[str, _pattern(r"[A-Za-z0-9_-]{1,50}", "must be the id of a reward or voucher")]
Amount = Annotated[str, _pattern(AMOUNT, "must be text such as “12.50”, not negative", "12.50")]
Currency = Annotated[str, _pattern(r"[A-Z]{3}", "must be a code such as EUR", "EUR")]
Phone = Annotated[str, _pattern(r"\+[1-9]\d{6,14}", "must be in international form, such as +16175550100")]
Email = Annotated[str, Checked(_email, {"format": "email", "maxLength": 254})]
Name = Annotated[str, Checked(_name, {"maxLength": 100})]
Day = Annotated[
    Birthday, Checked(_birthday, {"pattern": f"^{BIRTHDAY}$", "examples": ["1990-05-04", "05-04"]})
]
MemberNumber = Annotated[str, Checked(_one_line(70), {"minLength": 1, "maxLength": 70})]
Code = Annotated[str, Checked(_one_line(50), {"minLength": 1, "maxLength": 50})]
Time = Annotated[datetime, Checked(_time, {"format": "date-time", "examples": ["2026-05-04T12:30:00Z"]})]
Answer = Literal["yes", "no"]


class Body(BaseModel):
    """A body: an unknown field is refused, numbers are never read from text."""

    model_config = ConfigDict(extra="forbid", strict=True)


class MoneyIn(Body):
    """An amount in major units, as text: a binary fraction cannot say 0.10."""

    amount: Amount
    currency: Currency


def money_in(given: MoneyIn, currency: str, field: str) -> Money:
    """Return the amount; raise Problem for another currency than the program's, or finer than its unit."""
    if given.currency != currency:
        raise wrong_field(f"{field}.currency", f"must be {currency}")
    decimals = decimals_of(currency)
    amount = Decimal(given.amount)
    if amount != round(amount, decimals):
        raise wrong_field(f"{field}.amount", f"{currency} has at most {decimals} decimals")
    return Money(amount=amount, currency=currency)


def example(body: dict[str, Any]) -> ConfigDict:
    """Return the configuration of a body whose example stands in the OpenAPI document."""
    return ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [body]})
