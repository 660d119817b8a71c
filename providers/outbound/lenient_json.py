"""JSON of a vendor or of NewStore: one odd character in a name must not make the whole answer useless."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NoReturn

# Characters, escaped or not, that no database stores or no page can encode.
NEVER_STORED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
MAY_HAVE_SOME = re.compile(r"\\u(?:00[017]|[dD][89a-fA-F])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def read_json(body: bytes | str, parse_float: Callable[[str], Any] = Decimal) -> Any:
    """Return the JSON value in `body`. Control characters and lone surrogates are left out of its texts, an
    invalid byte becomes U+FFFD. Raises ValueError, RecursionError, or ArithmeticError for a number that
    Decimal cannot hold."""
    text = body if isinstance(body, str) else body.decode(json.detect_encoding(body), "replace")
    value = json.loads(text, strict=False, parse_float=parse_float, parse_constant=_refuse_constant)
    return _storable(value) if MAY_HAVE_SOME.search(text) else value


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return NEVER_STORED.sub("", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
