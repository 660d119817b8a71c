"""Our codes, recognised however a till or a person writes them.

Tills change the case of codes, and a typed code has blanks. NewStore makes codes in upper case, so the code
as it came and its upper-case form are looked up by the index. No two codes differ by case alone.
"""

from collections.abc import Iterable

from django.db.models import QuerySet

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import IssuedCode, Redemption
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


def with_codes(program: Program, codes: tuple[str, ...]) -> QuerySet[Redemption]:
    """Return the redemptions that any of `codes` was issued for, each once."""
    return Redemption.objects.filter(pk__in=issued_of(program.pk, codes).values("redemption"))


def used_elsewhere(program: Program, codes: tuple[str, ...], story: frozenset[str]) -> tuple[str, ...]:
    """Return the orders outside `story` (an order and those it was exchanged for) in which the redemptions of
    `codes` were used. The customer had one discount twice."""
    rows = with_codes(program, codes).exclude(order_id__in=["", *story])
    return tuple(sorted(set(rows.values_list("order_id", flat=True))))


def is_used_twice(program: Program, codes: tuple[str, ...]) -> bool:
    """Return whether two of an order's `codes` were issued for one redemption, the second when the first had
    expired. The customer had one discount twice."""
    redemptions = list(issued_of(program.pk, codes).values_list("redemption", flat=True))
    return len(redemptions) > len(set(redemptions))
