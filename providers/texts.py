"""How we keep, compare and show text from outside (a vendor, NewStore, the clipboard, a scanner).

Phones and computers put invisible marks around what is copied (iOS: U+202A..U+202E, U+2066..U+2069), and
pages hold no-break and zero-width spaces. None of them is a reason to refuse a readable text.
"""

import unicodedata
from decimal import Decimal

MARKS = frozenset({"Cf"})
# With control characters and lone surrogates, which no database stores.
UNSEEN = frozenset({"Cc", "Cf", "Cs"})
# Inside a name these two control how letters join (Persian, Hindi, emoji).
JOINERS = "\u200c\u200d"
# Pages and keyboards write a dash in many ways.
DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"))


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
    """Return a member number or voucher code in a form that all its spellings share: without case, blanks and
    dashes. Two ids may have the same form, so an exact match comes first."""
    return _compact(text).replace("-", "").casefold()


def other_spellings(text: str) -> tuple[str, ...]:
    """Return other spellings under which a number or code typed as `text` may be stored: in capitals, in
    small letters, without dashes. At most three, and none for digits alone: each costs a call to a vendor
    that only compares letter by letter."""
    compact = _compact(text)
    found = (compact.upper(), compact.lower(), compact.replace("-", "").upper())
    return tuple(dict.fromkeys(each for each in found if each and each != text))


def _compact(text: str) -> str:
    return plain(text).replace(" ", "").translate(DASHES)


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
