"""How many decimals a currency has, and amounts as whole numbers, the way vendors count them.

Source: ISO 4217, list one (2026). A currency that is not named here has two.
"""

from decimal import ROUND_HALF_UP, Decimal

from providers.errors import Rejected, RejectReason
from providers.types import Money

NO_DECIMALS = frozenset(
    {
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF",
        "XOF", "XPF",
    }
)  # fmt: skip
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
HUNDREDTH_DECIMALS = 2


def decimals_of(currency: str) -> int:
    """Return how many decimals an amount in `currency` has."""
    return 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2


def minor_units(amount: Decimal, currency: str) -> int:
    """Return an amount in the smallest unit of its currency, half up: 1.250 Kuwaiti dinars are 1250."""
    return int(amount.scaleb(decimals_of(currency)).to_integral_value(ROUND_HALF_UP))


def from_minor_units(units: Decimal, currency: str) -> Decimal:
    """Return the amount that is `units` of the smallest unit of `currency`."""
    return units.scaleb(-decimals_of(currency))


def from_hundredths(count: Decimal | int, currency: str) -> Money:
    """Return `units` hundredths of `currency` as money."""
    return Money(amount=Decimal(count) / 100, currency=currency)


def hundredths(amount: Decimal, currency: str) -> int:
    """Return an amount in hundredths of `currency`, half up; its smallest unit does not matter. Raise
    Rejected for a currency with three decimals."""
    if decimals_of(currency) > HUNDREDTH_DECIMALS:
        detail = f"hundredths cannot say an amount in {currency}, which has {decimals_of(currency)} decimals"
        raise Rejected(RejectReason.INVALID_INPUT, detail)
    return int((amount * 100).to_integral_value(ROUND_HALF_UP))
