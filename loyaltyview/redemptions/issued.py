"""Our codes, recognised however a till or a person writes them.

Tills hand codes on in another case, and a typed code has blanks. NewStore makes codes in upper case, so the
code as it came and its upper-case form find it by the index; no two codes differ by case alone.
"""

from collections.abc import Iterable

from django.db.models import QuerySet

from loyaltyview.redemptions.models import IssuedCode
from providers.texts import code_key, plain


def issued_of(program_id: int, codes: Iterable[str]) -> QuerySet[IssuedCode]:
    """Return which of `codes`, in whatever spelling, are ours."""
    wanted = {spelled for code in codes for spelled in spellings(code)}
    return IssuedCode.objects.filter(program_id=program_id, code__in=wanted)


def known_codes(program_id: int, codes: Iterable[str]) -> dict[str, str]:
    """Return those of `codes` that are ours, each with the spelling in which it was issued."""
    given = list(codes)
    issued = set(issued_of(program_id, given).values_list("code", flat=True))
    found = {code: next((each for each in spellings(code) if each in issued), "") for code in given}
    return {code: ours for code, ours in found.items() if ours}


def spellings(code: str) -> tuple[str, str]:
    """Return how a code that was given as `code` may be stored, likeliest first."""
    return plain(code), code_key(code)
