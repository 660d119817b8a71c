"""Personal data as it may stand on a screen that a whole queue can see."""

from providers.types import Member


def masked_name(member: Member) -> str:
    """Return "Mia S.", or what is known of it; "" without a name."""
    first, last = member.first_name.strip(), member.last_name.strip()
    if first and last:
        return f"{first} {last[0]}."
    if last:
        return f"{last[0]}."
    return first


def full_name(member: Member) -> str:
    """Return the whole name; shown only while somebody presses."""
    return f"{member.first_name} {member.last_name}".strip()


def masked_email(email: str) -> str:
    """Return "m•••@example.com"; "" without an address."""
    name, at, domain = email.partition("@")
    return f"{name[:1]}•••@{domain}" if at else ""


def masked_phone(phone: str) -> str:
    """Return "••• 0100": the last four digits are enough to ask "is it the one ending in"."""
    return f"••• {phone[-4:]}" if len(phone) > 4 else ""


def masked_id(member_id: str) -> str:
    """Return the end of a member number, "" for one too short to hide anything."""
    return f"•••{member_id[-4:]}" if len(member_id) > 4 else ""


def contact(member: Member) -> str:
    """Return the one masked line under a name: e-mail, else phone, else member number."""
    return masked_email(member.email) or masked_phone(member.phone) or masked_id(member.member_id)


def full_contact(member: Member) -> str:
    """Return what `contact` hides."""
    return member.email or member.phone or member.member_id
