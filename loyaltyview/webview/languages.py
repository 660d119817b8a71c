"""The page's language: the first of the browser's that the program speaks, else the program's first."""

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

from loyaltyview.programs.models import Program


def language_of(request: HttpRequest, program: Program) -> str:
    """Return a language code such as "fr", or "en-gb" where the program lists it."""
    spoken = [str(language).lower() for language in program.languages] or ["en"]
    for wanted, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        for candidate in (wanted, wanted.partition("-")[0]):
            if candidate in spoken:
                return candidate
    return spoken[0]
