"""Personal data as it may stand on a screen that a whole queue can see."""

import re
import unicodedata

from providers.texts import shown
from providers.types import Member

JOINER = "\u200d"
DIGITS_OF_A_PHONE = 4  # a name has fewer
# A whole name in Chinese, Japanese or Korean letters: nothing tells the family name from the given one.
WITHOUT_BLANKS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{3,}")


def masked_name(member: Member) -> str:
    """Return "Mia S.", or what is known of it; "" without a name."""
    first, last = _names(member)
    return " ".join(filter(None, (first, f"{first_letter(last)}." if last else "")))


def initials(member: Member) -> str:
    """Return "M. S.", for a launch behind which no associate stands; "" without a name."""
    return " ".join(f"{first_letter(name)}." for name in _names(member) if name)


def is_name(text: str) -> bool:
    """Whether a name may be a name: where a till knows none, some store the address or the phone there."""
    return "@" not in text and sum(char.isdecimal() for char in text) < DIGITS_OF_A_PHONE


def _names(member: Member) -> tuple[str, str]:
    """Return first and last name. Some tills store the whole name as the first: its second word is masked."""
    first, last = (
        name if is_name(name) else "" for name in (shown(member.first_name), shown(member.last_name))
    )
    if first and not last:
        if WITHOUT_BLANKS.fullmatch(first):
            return f"{first_letter(first)}\N{BULLET}\N{BULLET}", ""
        first, *rest = first.split(maxsplit=1)
        last = rest[0] if rest else ""
    return first, last


def full_name(member: Member) -> str:
    """Return the whole name; shown only for some seconds after a press."""
    return f"{shown(member.first_name)} {shown(member.last_name)}".strip()


def masked_email(email: str) -> str:
    """Return "m•••@example.com"; "" without an address."""
    name, at, domain = shown(email).partition("@")
    return f"{first_letter(name)}•••@{domain}" if at else ""


def masked_phone(phone: str) -> str:
    """Return "••• 0100": the last four digits are enough to ask "is it the one ending in"."""
    phone = shown(phone)
    return f"••• {phone[-4:]}" if len(phone) > 4 else ""


def masked_id(member_id: str) -> str:
    """Return the end of a member number, "" for one too short to hide anything."""
    member_id = shown(member_id)
    return f"•••{member_id[-4:]}" if len(member_id) > 4 else ""


def contact(member: Member) -> str:
    """Return the one masked line under a name: e-mail, else phone, else member number."""
    return masked_email(member.email) or masked_phone(member.phone) or masked_id(member.member_id)


def details(member: Member) -> tuple[str, ...]:
    """Return what distinguishes members of one name, each masked: phone, e-mail, member number."""
    return tuple(
        filter(None, (masked_phone(member.phone), masked_email(member.email), masked_id(member.member_id)))
    )


def full_contact(member: Member) -> str:
    """Return what `contact` hides."""
    return shown(member.email) or shown(member.phone) or shown(member.member_id)


def first_letter(text: str) -> str:
    """Return what a reader sees as the first letter: with its accents, a flag or joined emoji as a whole.
    Source: Unicode Standard Annex 29, extended grapheme clusters, without its rules for Hangul letters,
    which NFC composes."""
    text = unicodedata.normalize("NFC", text)
    end = 1
    while end < len(text) and _goes_on(text[:end], text[end]):
        end += 1
    return text[:end]


def _goes_on(letter: str, char: str) -> bool:
    if char == JOINER or unicodedata.category(char) in ("Mn", "Me", "Mc") or _is_skin_tone(char):
        return True
    if letter.endswith(JOINER):
        return not char.isalpha()  # emoji are joined by it; letters stay letters
    return len(letter) == 1 and _is_half_flag(letter) and _is_half_flag(char)


def _is_skin_tone(char: str) -> bool:
    return "\U0001f3fb" <= char <= "\U0001f3ff"


def _is_half_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
