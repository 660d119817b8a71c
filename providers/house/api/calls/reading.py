"""Reading a body: JSON of a bounded size, each name once, with texts that every database stores."""

import json
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from providers.house.api.problems import Problem

MOST_BYTES = 64 * 1024
MOST_DIGITS = 18


class JsonParser(Parser):
    """Refuses what `json.loads` takes and a ledger should not: NaN, the same name twice, endless numbers."""

    def parse_body(self, request: HttpRequest) -> Any:
        if request.content_type != "application/json":
            raise Problem("wrong_media_type")
        if len(request.body) > MOST_BYTES:
            raise Problem("body_too_large", most_bytes=MOST_BYTES)
        try:
            return json.loads(
                request.body,
                object_pairs_hook=_each_name_once,
                parse_constant=_refuse,
                parse_int=_whole_number,
            )
        except (ValueError, RecursionError) as error:
            raise Problem("wrong_json") from error


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _whole_number(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError("a number that is too large")
    return int(text)


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is not JSON")
