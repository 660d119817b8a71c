"""What the associate typed or scanned into the one search field, read as look-ups in the order to try."""

import re
import unicodedata

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview.problems import Problem
from providers.texts import pasted, plain, scanned_as
from providers.types import MemberQuery, QueryKind

LONGEST = 200
LONGEST_CODE = 64
# Hyphens and dashes come in many forms where a number is copied from a page.
PUNCTUATION = r"\s().\-/\u2010-\u2015\u2212\uff0d"
PHONE = re.compile(rf"[+\uff0b]?[\d{PUNCTUATION}]{{6,}}")
NOT_DIGITS = re.compile(f"[{PUNCTUATION}]")
INTERNATIONAL = (
    phonenumbers.CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN,
    phonenumbers.CountryCodeSource.FROM_NUMBER_WITH_IDD,
)

# Source: ISO/IEC 7812 and the networks' published ranges.
# First and last prefix of a network's cards, and how many digits they have.
ISSUERS: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("4", "4", (16, 18, 19)),  # Visa. None with 13 digits is in use; a member card's EAN-13 has them.
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("300", "305", (14, 16, 17, 18, 19)),  # Diners Club
    ("3095", "3095", (14, 16, 17, 18, 19)),
    ("36", "36", (14, 15, 16, 17, 18, 19)),
    ("38", "39", (14, 16, 17, 18, 19)),
    ("6011", "6011", (16, 17, 18, 19)),  # Discover
    ("644", "659", (16, 17, 18, 19)),
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("81", "81", (16, 17, 18, 19)),
    ("50", "50", (16, 17, 18, 19)),  # Maestro, Dankort, RuPay, Verve, Elo
    ("56", "58", (16, 17, 18, 19)),
    ("6304", "6304", (16, 17, 18, 19)),
    ("6390", "6390", (16, 17, 18, 19)),
    ("67", "67", (16, 17, 18, 19)),
    ("6069", "6085", (16,)),  # RuPay, Hipercard
    ("6277", "6277", (16,)),  # Elo
    ("6362", "6363", (16,)),
    ("2200", "2204", (16, 17, 18, 19)),  # Mir
    ("9792", "9792", (16,)),  # Troy
)


def read_query(text: str, country: str) -> tuple[MemberQuery, ...]:
    """Return the look-ups `text` may mean, likeliest first. `country` is the region of phone numbers.

    A phone number is read as in the enrolment form. Raises Problem: EMPTY_QUERY, QUERY_TOO_LONG,
    QUERY_UNREADABLE, CARD_NUMBER (a payment card is neither sent nor shown).
    """
    text = pasted(text)
    if not text:
        raise Problem(Refusal.EMPTY_QUERY)
    if len(text) > LONGEST:
        raise Problem(Refusal.QUERY_TOO_LONG)
    if not text.isprintable():
        raise Problem(Refusal.QUERY_UNREADABLE)
    digits = NOT_DIGITS.sub("", text)
    if is_card_number(digits):
        raise Problem(Refusal.CARD_NUMBER)
    if "@" in text and (email := read_email(text)):
        return (MemberQuery(kind=QueryKind.EMAIL, value=email),)
    phone = read_phone(text, country)
    phones = [MemberQuery(kind=QueryKind.PHONE, value=phone)] if phone else []
    if text.startswith(("+", "\uff0b")):
        possible = phone or _possible_phone(text, country)
        return (MemberQuery(kind=QueryKind.PHONE, value=possible),) if possible else ()
    ids = [
        MemberQuery(kind=kind, value=value, is_typed=True)
        for value in scanned_as(text)
        for kind in (QueryKind.MEMBER_ID, QueryKind.CODE)
    ]
    # A member number with letters may hold what reads as a phone number: it is the number first.
    if PHONE.fullmatch(text) and phones:
        return (*phones, *ids)
    if not phones and (possible := _possible_phone(text, country)):
        phones = [MemberQuery(kind=QueryKind.PHONE, value=possible)]
    return (*ids, *phones)


def read_code(text: str) -> str:
    """Return a voucher's code as typed or scanned. Raises Problem: EMPTY_CODE, CODE_TOO_LONG, CARD_NUMBER."""
    code = pasted(text)
    if not code:
        raise Problem(Refusal.EMPTY_CODE)
    if is_card_number(NOT_DIGITS.sub("", code)):
        raise Problem(Refusal.CARD_NUMBER)
    if len(code) > LONGEST_CODE or not code.isprintable():
        raise Problem(Refusal.CODE_TOO_LONG)
    return code


def read_email(text: str) -> str:
    """Return the address in lower case, "" for something else."""
    email = plain(text).lower()
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email


def read_phone(text: str, country: str) -> str:
    """Return the number in E.164, "" for something that is no valid number."""
    number = _parsed(text, country)
    if number is None or not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _possible_phone(text: str, country: str) -> str:
    """Return an international number that has a possible length: numbering plans open new ranges before our
    list of them knows, and the program may hold such a number already."""
    number = _parsed(text, country) if PHONE.fullmatch(text) else None
    if number is None or number.country_code_source not in INTERNATIONAL:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parsed(text: str, country: str) -> phonenumbers.PhoneNumber | None:
    text = pasted(text)
    if not text.isprintable():
        return None
    try:
        return phonenumbers.parse(text, country, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return None


def spoken(query: MemberQuery) -> str:
    """Return the look-up as the page shows it: a phone number in international format."""
    if query.kind is not QueryKind.PHONE:
        return query.value
    number = phonenumbers.parse(query.value)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def is_card_number(digits: str) -> bool:
    """Return whether `digits` has the prefix and length of a payment card and passes the Luhn check."""
    if not digits.isdecimal() or not 14 <= len(digits) <= 19:
        return False
    digits = "".join(str(unicodedata.decimal(digit)) for digit in digits)
    return _has_issuer(digits) and _passes_luhn(digits)


def _has_issuer(digits: str) -> bool:
    return any(
        first <= digits[: len(first)] <= last and len(digits) in lengths for first, last, lengths in ISSUERS
    )


def _passes_luhn(digits: str) -> bool:
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + at % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
