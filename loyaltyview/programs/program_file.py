"""Reads a program file (docs/architecture.md 8) and reports everything that is wrong with it. Uses no
database.

The file sets the whole program: a key that is left out gets its default. Only `is_active` keeps its value
then, so that a deployment does not switch on a program that an administrator switched off.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import models

from loyaltyview.brand.files import Made
from loyaltyview.programs.models import Program, Store
from loyaltyview.programs.program_keys import KEYS, Key, Path, dotted
from loyaltyview.programs.provider_settings import secret_names, storable
from loyaltyview.programs.rules import validate_address, validate_text
from loyaltyview.programs.toml_positions import line_of
from providers.errors import SettingsError
from providers.registry import PROVIDERS, provider_class
from providers.settings import TYPE_WORDS

# Returns the content of the file with this name, beside the program file. Raises OSError.
Folder = Callable[[str], bytes]

TABLES = ("brand", "newstore", "provider", "stores")
DEEPEST = 10  # levels inside a provider's setting


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFile:
    """One `[stores.<store_id>]` table."""

    store_id: str
    name: str
    provider_store: str = ""
    time_zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramFile:
    """A valid file. The names are those of Program's fields; `provider_settings` are storable. `files` are
    those that `logo`, `logo_dark` and `typeface` name. `hidden` are the dotted keys whose values must not be
    printed: secrets and values from `env:`."""

    slug: str
    name: str
    is_active: bool | None
    currency: str
    country: str
    time_zone: str
    color: str
    languages: list[str]
    identity: str
    report_channels: list[str]
    earn_on: str
    return_policy: str
    associate_hour_limit: int
    member_day_limit: int
    codes_per_reward: int
    codes_per_cart: int
    kinds_together: list[str]
    product_names: Mapping[str, str]
    header: str
    radius: int
    logo: str
    logo_dark: str
    typeface: str
    tier_colors: Mapping[str, str]
    welcome: Mapping[str, str]
    newstore_tenant: str
    newstore_api_url: str
    newstore_identity_url: str
    newstore_client_id: str
    newstore_client_secret: str
    newstore_event_key: str
    newstore_event_key_previous: str
    newstore_audience: str
    loyalty_attribute: str
    newstore_reward_attribute: str
    newstore_launch_keys: Mapping[str, Any]
    newstore_check_carts: bool
    newstore_lookup_associates: bool
    newstore_disable_codes: bool
    newstore_coupon_api: Mapping[str, Any]
    newstore_find_missed_events: bool
    newstore_data_query: Mapping[str, Any]
    newstore_rate_per_s: int
    provider_kind: str
    provider_webhook_secret: str
    provider_settings: Mapping[str, Any]
    stores: tuple[StoreFile, ...]
    files: tuple[Made, ...]
    hidden: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong. `line` is None where the file has no line for it."""

    path: Path
    text: str
    line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{dotted(self.path)}: {self.text}" if self.path else f"{where}{self.text}"


class ProgramFileError(Exception):
    """The file cannot be applied; `problems` lists all problems."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def read_program(
    text: str, environ: Mapping[str, str], *, folder: Folder | None = None, allow_http: bool = False
) -> ProgramFile:
    """Return the contents of the TOML `text`, with `env:NAME` taken from `environ` and logos and typeface
    from `folder`; raise ProgramFileError."""
    try:
        # TOML counts "\r\n" as one end of line; so do the line numbers then.
        text = text.replace("\r\n", "\n")
        table = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise ProgramFileError([Problem(path=(), text=f"not valid TOML: {error}")]) from error
    try:
        return program_from(table, environ, folder=folder, allow_http=allow_http)
    except ProgramFileError as error:
        raise ProgramFileError(
            sorted(
                (replace(problem, line=line_of(text, problem.path)) for problem in error.problems),
                key=lambda problem: problem.line or 0,
            )
        ) from error


def program_from(
    table: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    folder: Folder | None = None,
    allow_http: bool = False,
) -> ProgramFile:
    """Return the contents of a parsed file; raise ProgramFileError, whose problems have no lines."""
    reader = _Reader(environ=environ, folder=folder, allow_http=allow_http)
    top = dict(table)
    tables = {name: reader.table((name,), top.get(name, {})) for name in TABLES}
    values = {key.field: reader.value(key, tables.get(key.path[0], top)) for key in KEYS}
    kind = values["provider_kind"]
    settings = reader.settings(kind, tables["provider"].get(kind, {})) if kind in PROVIDERS else {}
    if kind in PROVIDERS and values["currency"]:
        reader.check_currency(kind, values["currency"])
    stores = tuple(reader.store(store_id, store) for store_id, store in tables["stores"].items())

    reader.refuse_unknown((), top, {key.path[0] for key in KEYS} | {"stores"})
    for name in ("brand", "newstore"):
        reader.refuse_unknown((name,), tables[name], _names_in(name))
    reader.refuse_unknown(("provider",), tables["provider"], _names_in("provider") | {kind})
    if reader.problems:
        raise ProgramFileError(reader.problems)
    return ProgramFile(
        **values,
        provider_settings=settings,
        stores=stores,
        files=tuple(reader.made),
        hidden=frozenset(reader.hidden),
    )


def _field(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    return cast("models.Field[Any, Any]", model._meta.get_field(name))


def _names_in(table: str) -> set[str]:
    return {key.path[1] for key in KEYS if key.path[0] == table and len(key.path) == 2}


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Collects problems instead of stopping at the first."""

    environ: Mapping[str, str]
    folder: Folder | None
    allow_http: bool
    made: list[Made] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)

    def note(self, path: Path, text: str) -> None:
        self.problems.append(Problem(path=path, text=text))

    def table(self, path: Path, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self.note(path, "must be a table")
        return {}

    def refuse_unknown(self, path: Path, table: Mapping[str, Any], known: set[str]) -> None:
        for name in table:
            if name not in known:
                self.note((*path, name), "unknown key")

    def value(self, key: Key, table: Mapping[str, Any]) -> Any:
        """Return the value of `key`, its default when it is left out, None (and a problem) when wrong."""
        model_field = _field(Program, key.field)
        if key.path[-1] not in table:
            if key.is_required:
                self.note(key.path, "missing")
            return None if key.field == "is_active" else model_field.get_default()
        found = len(self.problems)
        value = self.resolved(key.path, table[key.path[-1]])
        if len(self.problems) > found:
            return None
        if not isinstance(value, key.type) or (key.type is int and isinstance(value, bool)):
            self.note(key.path, f"must be {TYPE_WORDS[key.type]}")
            return None
        if key.is_required and value == "":
            self.note(key.path, "must not be empty")
            return None
        if key.is_secret:
            self.hidden.add(dotted(key.path))
        if key.is_address and isinstance(value, str):
            self.check_address(key.path, value)
        if key.made_by and value:
            value = self.file(key.path, value, key.made_by)
        self.check(key.path, lambda: model_field.clean(value, None))
        return value

    def file(self, path: Path, name: str, made_by: Callable[[bytes], Made]) -> str:
        """Return the name under which the file beside the program file will be stored, "" with a problem."""
        try:
            content = self.folder(name) if self.folder else None
        except OSError as error:
            self.note(path, f"{name} cannot be read: {error.strerror or error}")
            return ""
        if content is None:
            self.note(path, "a file can only be named in a program file on this machine")
            return ""
        found = len(self.problems)
        self.check(path, lambda: self.made.append(made_by(content)))
        return self.made[-1].name if len(self.problems) == found else ""

    def settings(self, kind: str, given: Any) -> dict[str, Any]:
        """Return the vendor's settings, validated by its adapter and made storable."""
        path = ("provider", kind)
        secrets = secret_names(kind)
        found = len(self.problems)
        settings = self.resolved(path, self.table(path, given))
        if len(self.problems) > found:
            return {}
        for name, value in settings.items():
            if name in secrets:
                self.hidden.add(dotted((*path, name)))
            if isinstance(value, str) and name.endswith("url") and value:
                self.check_address((*path, name), value)
        if len(self.problems) > found:
            return {}
        try:
            return storable(provider_class(kind).validate_settings(settings))
        except SettingsError as error:
            self.note((*path, error.key, *error.inside), error.problem)
            return {}

    def check_currency(self, kind: str, currency: str) -> None:
        """Note a currency whose amounts the vendor cannot represent."""
        try:
            provider_class(kind).check_currency(currency)
        except SettingsError as error:
            self.note(("currency",), error.problem)

    def store(self, store_id: str, given: Any) -> StoreFile:
        path = ("stores", store_id)
        table = self.table(path, given)
        texts = {"store_id": store_id, "name": "", "provider_store": "", "time_zone": ""}
        for name in ("name", "provider_store", "time_zone"):
            if name in table:
                texts[name] = self.store_text((*path, name), table[name])
            elif name == "name":
                self.note((*path, name), "missing")
        for name, text in texts.items():
            where = path if name == "store_id" else (*path, name)
            if text or name == "store_id":
                self.check(where, partial(_field(Store, name).clean, text, None))
                self.check(where, partial(validate_text, text))
        self.refuse_unknown(path, table, {"name", "provider_store", "time_zone"})
        return StoreFile(**texts)

    def store_text(self, path: Path, value: Any) -> str:
        if not isinstance(value, str):
            self.note(path, "must be text")
            return ""
        if not value and path[-1] == "name":
            self.note(path, "must not be empty")
        return self.text(path, value)

    def resolved(self, path: Path, value: Any, depth: int = 0) -> Any:
        """Return `value` with every `env:NAME` replaced, or note why it cannot be taken."""
        if depth > DEEPEST:
            self.note(path[:3], "is nested too deeply")
        elif isinstance(value, dict):
            return {name: self.resolved((*path, name), item, depth + 1) for name, item in value.items()}
        elif isinstance(value, list):
            return [self.resolved(path, item, depth + 1) for item in value]
        elif isinstance(value, str):
            return self.text(path, value)
        elif isinstance(value, Decimal) and not value.is_finite():
            self.note(path, "must be a finite number")
        elif isinstance(value, int) and abs(value) >= 2**63:
            self.note(path, "is too large")
        elif isinstance(value, int | Decimal):
            return value
        else:
            self.note(path, "must not be a date or time")
        return None

    def text(self, path: Path, value: str) -> str:
        if value.startswith("env:"):
            name = value.removeprefix("env:")
            value = self.environ.get(name, "")
            self.hidden.add(dotted(path))
            if not value:
                self.note(path, f"the environment variable {name} is not set or empty")
                return ""
        self.check(path, partial(validate_text, value))
        return value

    def check_address(self, path: Path, value: str) -> None:
        self.check(path, partial(validate_address, value, allow_http=self.allow_http))

    def check(self, path: Path, validate: Callable[[], object]) -> None:
        """Run a validator of Django and note its error."""
        try:
            validate()
        except ValidationError as error:
            for message in error.messages:
                self.note(path, message[:1].lower() + message[1:].rstrip("."))
