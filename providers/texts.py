"""How we keep, compare and show text from outside (a vendor, NewStore, the clipboard, a scanner).

Phones and computers put invisible marks around what is copied (iOS: U+202A..U+202E, U+2066..U+2069), and
pages hold no-break and zero-width spaces. None of them is a reason to refuse a readable text.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import TypeVar

T = TypeVar("T")

MARKS = frozenset({"Cf"})
# With control characters and lone surrogates, which no database stores.
UNSEEN = frozenset({"Cc", "Cf", "Cs"})
# Inside a name these two control how letters join (Persian, Hindi, emoji).
JOINERS = "\u200c\u200d"
# The minus sign is no dash for Unicode; apostrophes and accents slip in where keys lie close together.
UNMEANT = {0x2212: "-"} | dict.fromkeys(map(ord, "'`\u00b4\u2018\u2019\u02bc\u2032"))
# Letters of a Cyrillic or Greek keyboard that look like Latin capitals, and a Turkish i.
LOOK_ALIKES = str.maketrans(
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
    "\u0430\u0432\u0435\u0455\u0456\u0458\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u03b1\u03b2\u03b5\u03b6\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u0130\u0131",
    "ABESIJKMHOPCTYXabesijkmhopctyxABEZHIKMNOPTYXabezhikmnoptyxIi",
)
LETTERS_AS_DIGITS = str.maketrans("oi", "01")
DIGITS_AS_LETTERS = str.maketrans("01", "OI")


def plain(text: str) -> str:
    """Return `text` on one line, without invisible marks, each run of blanks as one space. For values that
    are compared or looked up: ids, codes, phones, e-mail addresses."""
    return _spaced(text, UNSEEN)


def pasted(text: str) -> str:
    """Return a typed, pasted or scanned text as `plain`, but keep control characters, so that the caller can
    report them."""
    return _spaced(text, MARKS)


def shown(text: str) -> str:
    """Return `text` for a page: as `plain`, but letters still join. Marks that change the direction of a line
    are removed."""
    return _spaced(text, UNSEEN, kept=JOINERS).strip(JOINERS)


def shown_lines(text: str) -> str:
    """Return a text of several lines for a page: each line as `shown`, without empty ones."""
    return "\n".join(line for each in text.splitlines() if (line := shown(each)))


def plain_of(value: object, limit: int) -> str:
    """Return the `plain` text of a JSON text or number; "" for anything else, and above `limit` characters:
    a part of an id would be another id."""
    if isinstance(value, Decimal) and value == value.to_integral_value() and abs(value) < 10**18:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    text = plain(value) if isinstance(value, str) else ""
    return text if len(text) <= limit else ""


def code_key(text: str) -> str:
    """Return a code that we made in NewStore as we store it: upper-case, no blanks. Tills and shops pass
    codes on in another case, and people type blanks."""
    return plain(text).replace(" ", "").upper()


def id_key(text: str) -> str:
    """Return a member number or voucher code in a form that all its spellings share: without case, blanks,
    dashes and marks that look alike. Two ids may have the same form, so an exact match comes first."""
    return compact(text).replace("-", "").casefold()


def look_alike_key(text: str) -> str:
    """Return `id_key` with O as 0 and I as 1. Only for a text that no spelling finds, and only where one
    candidate has the same key: other ids may differ by these letters alone."""
    return id_key(text).translate(LETTERS_AS_DIGITS)


def other_spellings(text: str) -> tuple[str, ...]:
    """Return other spellings under which a number or code typed as `text` may be stored: in capitals, in
    small letters, without dashes. At most three, and none for digits alone: each costs a call to a vendor
    that only compares letter by letter."""
    bare = compact(text)
    found = (bare.upper(), bare.lower(), bare.replace("-", "").upper())
    return tuple(dict.fromkeys(each for each in found if each and each != text))


def look_alike_spelling(text: str) -> str:
    """Return `text` in capitals with O and 0, I and 1 as the rest of their part asks: ACME-OO42 as ACME-0042,
    PR0M0-7Q as PROMO-7Q. "" where nothing changes: one more call at most."""
    bare = compact(text).upper()
    parts = "-".join(_as_one_kind(part) for part in bare.split("-"))
    return parts if parts != bare else ""


def _as_one_kind(part: str) -> str:
    """Return a part of a code as a word or as a number, unchanged where it mixes both."""
    sure = [each for each in part if each not in "01OI"]
    if sure and all(each.isalpha() for each in sure):
        return part.translate(DIGITS_AS_LETTERS)
    if all(each.isdecimal() for each in sure) and not part.isalpha():
        return part.translate({ord("O"): "0", ord("I"): "1"})
    return part


def compact(text: str) -> str:
    """Return a number or code without blanks, apostrophes and invisible marks, with plain dashes, digits and
    letters: full-width ones, and those of another keyboard that look like Latin ones. A text that holds
    another script's own letters keeps them all."""
    text = plain(text).translate(UNMEANT)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(_plain_mark(each) for each in plain(text))
        latin = text.translate(LOOK_ALIKES)
        text = latin if latin.isascii() else text
    return text.replace(" ", "").translate(UNMEANT)


def _plain_mark(mark: str) -> str:
    if unicodedata.category(mark) == "Pd":
        return "-"
    digit = unicodedata.decimal(mark, None)
    return mark if digit is None else str(digit)


def named_by(typed: str, known: Iterable[T], text_of: Callable[[T], str]) -> T | None:
    """Return which of `known` a typed number or code names: the exact one, else the only one in another
    spelling, else the only one that differs by look-alike letters. None where several could be meant."""
    rows = [each for each in known if text_of(each)]
    for key in (plain, id_key, look_alike_key):
        wanted = key(typed)
        found = {text_of(each): each for each in rows if wanted and key(text_of(each)) == wanted}
        if found:
            return next(iter(found.values())) if len(found) == 1 else None
    return None


def found_by_spelling(
    typed: str, find: Callable[[str], Iterable[T]], id_of: Callable[[T], object], *, is_typed: bool
) -> tuple[T, ...]:
    """Return what `find`, which compares letter by letter, finds for exactly `typed`; else all that it finds
    for other spellings; else, where a person typed it (`is_typed`), the only one for look-alike letters. At
    most four calls of `find` more."""
    if exact := tuple(find(typed)):
        return exact
    others = {id_of(each): each for other in other_spellings(typed) for each in find(other)}
    if others:
        return tuple(others.values())
    alike = look_alike_spelling(typed) if is_typed else ""
    found = tuple(find(alike)) if alike and alike not in (typed, *other_spellings(typed)) else ()
    return found if len(found) == 1 else ()


def code_spellings(typed: str, owned: Callable[[], Iterable[str]]) -> Iterator[str]:
    """Yield the spellings of a code under which to ask a vendor that compares letter by letter, likeliest
    first: as typed, as one of the member's own codes (`owned`), as others may be. Nothing follows the first
    where two of the member's own codes could be meant."""
    yield typed
    codes = [each for each in dict.fromkeys(owned()) if each]
    mine = named_by(typed, codes, str)
    if mine is None and any(look_alike_key(each) == look_alike_key(typed) for each in codes):
        return
    others = [*other_spellings(typed), look_alike_spelling(typed)]
    is_spelling = mine is not None and id_key(mine) == id_key(typed)
    others.insert(0 if is_spelling else -1, mine or "")
    yield from dict.fromkeys(each for each in others if each and each != typed)


def scanned_as(code: str) -> tuple[str, ...]:
    """Return the codes that one bar code may stand for, likeliest first. UPC-A and EAN-13 with a 0 in front
    are the same bars, and readers disagree about the 0. Source: GS1 General Specifications, 5.2."""
    if len(code) == 12 and _has_check_digit(code):
        return code, f"0{code}"
    if len(code) == 13 and code.startswith("0") and _has_check_digit(code):
        return code, code[1:]
    return (code,)


def _has_check_digit(code: str) -> bool:
    if not (code.isascii() and code.isdecimal()):
        return False
    total = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(reversed(code)))
    return total % 10 == 0


def _spaced(text: str, unseen: frozenset[str], kept: str = "") -> str:
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    # Tabs and line ends are control characters: they become spaces first.
    words = " ".join(text.split())
    words = "".join(c for c in words if c in kept or unicodedata.category(c) not in unseen)
    return " ".join(words.split())
