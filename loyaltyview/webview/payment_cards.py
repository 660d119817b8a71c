"""What could be a payment card, which must go nowhere: neither to a vendor nor back to the page.

One number in ten passes the Luhn check by chance. So a card also needs the prefix and length
of an issuer.
Source: ISO/IEC 7812 and the networks' published ranges.
"""

import unicodedata

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
