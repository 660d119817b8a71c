"""What the associate typed or scanned into the one search field, read as look-ups in the order to try."""

import re

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from loyaltyview.webview.problems import Problem
from providers.types import MemberQuery, QueryKind

LONGEST = 200
LONGEST_CODE = 64
PHONE = re.compile(r"\+?[\d\s().\-/]{6,}")
NOT_DIGITS = re.compile(r"[\s().\-/]")


def read_query(text: str, country: str) -> tuple[MemberQuery, ...]:
    """Return the look-ups `text` may mean, likeliest first. `country` is the region of phone numbers.

    Raises Problem: EMPTY_QUERY, QUERY_TOO_LONG, QUERY_UNREADABLE, CARD_NUMBER (14 to 19 digits passing Luhn:
    a payment card must go nowhere).
    """
    text = " ".join(text.split())  # a pasted number may hold no-break spaces
    if not text:
        raise Problem("EMPTY_QUERY")
    if len(text) > LONGEST:
        raise Problem("QUERY_TOO_LONG")
    if not text.isprintable():
        raise Problem("QUERY_UNREADABLE")
    digits = NOT_DIGITS.sub("", text)
    if is_card_number(digits):
        raise Problem("CARD_NUMBER")
    if "@" in text and (email := read_email(text)):
        return (MemberQuery(kind=QueryKind.EMAIL, value=email),)
    queries = []
    if PHONE.fullmatch(text) and (phone := read_phone(text, country)):
        queries.append(MemberQuery(kind=QueryKind.PHONE, value=phone))
    if not text.startswith("+"):
        queries.append(MemberQuery(kind=QueryKind.MEMBER_ID, value=text))
        queries.append(MemberQuery(kind=QueryKind.CODE, value=text))
    return tuple(queries)


def read_code(text: str) -> str:
    """Return a voucher's code as typed or scanned. Raises Problem: EMPTY_CODE, CODE_TOO_LONG, CARD_NUMBER."""
    code = text.strip()
    if not code:
        raise Problem("EMPTY_CODE")
    if is_card_number(NOT_DIGITS.sub("", code)):
        raise Problem("CARD_NUMBER")
    if len(code) > LONGEST_CODE or not code.isprintable():
        raise Problem("CODE_TOO_LONG")
    return code


def read_email(text: str) -> str:
    """Return the address in lower case, "" for something else."""
    email = text.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email


def read_phone(text: str, country: str) -> str:
    """Return the number in E.164, "" for something that is no valid number."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def spoken(query: MemberQuery) -> str:
    """Return the look-up as the page says it back: a phone number in its international spelling."""
    if query.kind is not QueryKind.PHONE:
        return query.value
    number = phonenumbers.parse(query.value)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def is_card_number(digits: str) -> bool:
    """Return whether `digits` could be a payment card: 14 to 19 digits that pass the Luhn check. No card in
    use has 13, but a member card's EAN-13 has, and one in ten passes."""
    if not digits.isascii() or not digits.isdigit() or not 14 <= len(digits) <= 19:
        return False
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + at % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
