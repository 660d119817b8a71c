"""A vendor's settings, declared once: as the fields of a frozen dataclass.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Settings(VendorSettings):
        api_key: str = setting(required=True, is_secret=True)
        orders: str = setting(default="now", choices=("now", "queue"), help="When orders are sent.")
        calls_per_minute: int = setting(default=1500, minimum=1)
        discounts: Mapping[str, Terms] = setting(help="By reward id.")

`specs_of` makes a `SettingSpec` of each field. Program files, admin and documents read the specs, and
`validated` refuses a wrong value when a program is saved. `Settings.read` returns the stored values, typed.

A field can be str, int, bool, Decimal, an enum of texts, a tuple of these, another dataclass (a table with
these keys), Names (a table of texts), or a Mapping of texts to any of these.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Any, Self, get_args, get_origin, get_type_hints

from providers.errors import SettingsError
from providers.names import Names

TYPE_WORDS: Mapping[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    Decimal: "a number",
    list: "a list of texts",
    dict: "a table",
}
MOST_NAMED = 12  # how many keys an error lists


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingSpec:
    """One key under `[provider.<kind>]` of a program file, or one key or item of a table or list in it.

    `minimum` and `maximum` are allowed, `above` is not. `pattern` must fit the whole text, and `pattern_help`
    is its description ("must be ..."). `keys` are the allowed keys of a table; with `allows_other_keys`
    others are allowed, too. `each` is the rule for every value of a table without `keys`, and for every item
    of a list. `make` converts a stored value to a typed one. A file that has the `former_name` is refused
    with the new one.
    """

    name: str = ""
    type: type = str
    required: bool = False
    default: Any = None
    is_secret: bool = False
    help: str = ""
    choices: tuple[Any, ...] = ()
    minimum: Decimal | int | None = None
    maximum: Decimal | int | None = None
    above: Decimal | int | None = None
    pattern: str = ""
    pattern_help: str = ""
    keys: tuple["SettingSpec", ...] = ()
    allows_other_keys: bool = False
    each: "SettingSpec | None" = None
    make: Callable[[Any], Any] | None = None
    former_name: str = ""

    def accept(self, value: Any, path: tuple[str, ...]) -> Any:
        """Return `value` as it is stored; raise SettingsError, which names the place. A number inside a table
        is kept as text unless it is whole: settings are stored as JSON."""
        kept: Any = _number(value) if self.type is Decimal else value
        is_right = isinstance(kept, self.type) and not (self.type is int and isinstance(kept, bool))
        if not is_right:
            raise SettingsError(path[0], f"must be {TYPE_WORDS[self.type]}", path[1:])
        if problem := self._problem(kept):
            raise SettingsError(path[0], problem, path[1:])
        if self.type is dict:
            return self._accept_table(kept, path)
        if self.type is list:
            return [(self.each or SettingSpec()).accept(item, path) for item in kept]
        if isinstance(kept, Decimal) and path[1:]:
            return value if isinstance(value, int) else str(kept)
        return kept

    def read(self, value: Any) -> Any:
        """Return a stored `value` in its typed form, the default for a missing one."""
        if value is None or (value == "" and self.type is not str):
            value = self.default
        if self.type is dict:
            known = {spec.name: spec for spec in self.keys}
            given = {name: value[name] for name in value if name not in known} if value else {}
            read = {name: spec.read((value or {}).get(name)) for name, spec in known.items()}
            read |= {name: self.each.read(item) if self.each else item for name, item in given.items()}
            return self.make(read) if self.make else read
        if self.type is list:
            return tuple((self.each or SettingSpec()).read(item) for item in value or ())
        if value is None:
            return "" if self.type is str and not self.make else None
        if self.make:
            return self.make(value)
        return _number(value) if self.type is Decimal else self.type(value)

    def _accept_table(self, table: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        specs = {spec.name: spec for spec in self.keys}
        for spec in self.keys:
            if spec.required and table.get(spec.name) in (None, ""):
                raise SettingsError(path[0], "missing", (*path[1:], spec.name))
        kept = {}
        for name, item in table.items():
            each = specs.get(name, self.each)
            if each is None and self.keys and not self.allows_other_keys:
                known = f": must be {one_of(specs)}" if len(specs) <= MOST_NAMED else ""
                raise SettingsError(path[0], f"unknown key {name}{known}", path[1:])
            kept[name] = each.accept(item, (*path, name)) if each else item
        return kept

    def _problem(self, value: Any) -> str:
        """Return what is wrong with a value of the right type, "" for nothing."""
        if self.choices and value not in self.choices:
            return f"must be {one_of(self.choices)}"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return self.pattern_help
        if self.above is not None and value <= self.above:
            return f"must be above {self.above}"
        is_low = self.minimum is not None and value < self.minimum
        is_high = self.maximum is not None and value > self.maximum
        if not is_low and not is_high:
            return ""
        if self.minimum is not None and self.maximum is not None:
            return f"must be from {self.minimum} to {self.maximum}"
        return f"must be at least {self.minimum}" if is_low else f"must be at most {self.maximum}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorSettings:
    """The base of each vendor's settings, and the settings of a vendor that has none."""

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Return the settings that `validated` has passed, typed."""
        return cls(**{spec.name: spec.read(given.get(spec.name)) for spec in specs_of(cls)})

    def check(self) -> None:
        """Raise SettingsError for values that are valid by themselves but do not fit together."""


def setting(*, default: Any = None, required: bool = False, **rules: Any) -> Any:
    """Return the field of a settings class; `rules` are the other fields of SettingSpec. A field without a
    default is empty where the program leaves it out: "", {}, (), or None for a number."""
    rules |= {"default": default, "required": required}
    is_shown = not rules.get("is_secret")  # by `repr`, which ends up in logs and error reports
    # Tables are always read, never built by hand, so a field of a table needs no default.
    if required or default == {}:
        return field(metadata=rules, repr=is_shown)
    return field(default=default, metadata=rules, repr=is_shown)


def names_setting(table: Mapping[str, str], *, needed: tuple[str, ...] | None = None, **rules: Any) -> Any:
    """Return the field for corrections of the assumed names in `table`. Those in `needed` cannot be empty,
    by default none can; a path keeps its slash in front."""
    keys = tuple(
        SettingSpec(name=name, default=assumed, **_rule_of(assumed, needed is None or name in needed))
        for name, assumed in table.items()
    )
    return setting(keys=keys, **rules)


def _rule_of(assumed: str, is_needed: bool) -> dict[str, Any]:
    if assumed.startswith("/"):
        return {"pattern": r"/.*", "pattern_help": "must begin with a slash"}
    return {"pattern": r"(?s)\s*\S.*", "pattern_help": "must not be empty"} if is_needed else {}


def _specs_of(settings: Any) -> tuple[SettingSpec, ...]:
    hints = get_type_hints(settings)
    found = []
    for each in fields(settings):
        has_default = each.default is not MISSING
        rules = dict(each.metadata) or {"default": each.default if has_default else None}
        rules.setdefault("required", not has_default and not each.metadata)
        found.append(replace(_spec_for(hints[each.name]), name=each.name, **rules))
    return tuple(found)


# Returns the specs of a settings class, or of a dataclass that is a table in one.
specs_of: Callable[[type], tuple[SettingSpec, ...]] = cache(_specs_of)


def validated(specs: tuple[SettingSpec, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `given` with defaults filled in; raise SettingsError for a key that is unknown or missing, and
    for a value that is not allowed."""
    known = {spec.name for spec in specs}
    renamed = {spec.former_name: spec.name for spec in specs if spec.former_name}
    for key in given:
        if key in renamed:
            raise SettingsError(key, f"is called {renamed[key]} now: rename it")
        if key not in known:
            raise SettingsError(key, "unknown setting")
    result = {}
    for spec in specs:
        value = given.get(spec.name, spec.default)
        is_empty = value is None or value == ""
        if is_empty and spec.required:
            raise SettingsError(spec.name, "missing")
        is_ruled = value == "" and bool(spec.default) and bool(spec.choices or spec.pattern)
        result[spec.name] = value if is_empty and not is_ruled else spec.accept(value, (spec.name,))
    return result


def one_of(choices: Any) -> str:
    """Return "a, b or c"."""
    *first, last = map(str, choices)
    return f"{', '.join(first)} or {last}" if first else last


def _spec_for(hint: Any) -> SettingSpec:
    """Return the spec that follows from the type of a field."""
    origin = get_origin(hint)
    options = [option for option in get_args(hint) if option is not NoneType]
    if origin is tuple:
        return SettingSpec(type=list, each=_spec_for(options[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return SettingSpec(type=dict, each=None if options[1] is Any else _spec_for(options[1]))
    if origin is not None:  # a type or None
        return _spec_for(options[0])
    if isinstance(hint, type) and is_dataclass(hint):
        return SettingSpec(type=dict, keys=specs_of(hint), make=lambda values: hint(**values))
    if issubclass(hint, Names):
        return SettingSpec(type=dict, make=hint)
    if issubclass(hint, StrEnum):
        return SettingSpec(choices=tuple(choice.value for choice in hint), make=hint)
    return SettingSpec(type=hint)


def _number(value: Any) -> Decimal | None:
    """Return a number, or a text or fraction of JSON that is one, as Decimal; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
