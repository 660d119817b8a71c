"""In which language a page is: the device's, as far as the program offers it and LoyaltyView has its texts.

NewStore's launch names no language. A WebView sends the language of its app as Accept-Language.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.http import HttpRequest
from django.utils.translation import to_language
from django.utils.translation.trans_real import parse_accept_lang_header

from loyaltyview.programs.models import Program


def language_of(request: HttpRequest, program: Program) -> str:
    """Return a language code such as "fr", or "en-gb" where the program lists it."""
    offered = offered_by(program)
    for wanted, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        for candidate in _wider(wanted):
            if candidate in offered:
                return candidate
    return offered[0]


def offered_by(program: Program) -> list[str]:
    """Return the program's languages that have texts, the preferred one first; English if none has.
    In a language without a catalogue only Django's own words would be translated."""
    languages = [str(language).lower() for language in program.languages]
    return [language for language in languages if has_texts(language)] or [settings.LANGUAGE_CODE]


def has_texts(language: str) -> bool:
    """Return whether a page can be in this language, such as "en-gb", "fr" or "zh-hans"."""
    with_texts = {settings.LANGUAGE_CODE, *_with_catalogue(str(settings.LOCALE_PATHS[0]))}
    return any(wider in with_texts for wider in _wider(language))


def _wider(language: str) -> Iterator[str]:
    """Yield the language and those that stand for it: fr-ca, fr; zh-cn, zh-hans, zh."""
    parts = language.split("-")
    for length in range(len(parts), 0, -1):
        code = "-".join(parts[:length])
        yield code
        yield from LANG_INFO.get(code, {}).get("fallback", ())


@cache
def _with_catalogue(folder: str) -> frozenset[str]:
    return frozenset(
        to_language(path.parent.parent.name) for path in Path(folder).glob("*/LC_MESSAGES/django.mo")
    )
