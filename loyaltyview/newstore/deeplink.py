"""The one callback that NewStore documents: codes to the cart in Associate App.
Source: docs/contracts/newstore.md 2.1."""

from collections.abc import Iterable
from urllib.parse import quote

# Scheme, host with its capital P, path: the app compares them letter by letter.
APPLY_COUPONS = "com.newstore.associate-one://cart.more.loyaltyProgram/applyCoupons"
MOST_CODES = 10  # assumed: docs/contracts/newstore.md 2.2


def handoff_url(*, codes: Iterable[str], cart_id: str, token: str) -> str:
    """Return the address that puts `codes` (without repeats, in their order) into the cart.

    `cart_id` and `token` are those of the launch. Raises ValueError without a code (the app might take an
    empty list for "remove all"), for an empty one, and for more than MOST_CODES.
    """
    unique = list(dict.fromkeys(codes))
    if not unique or not all(unique):
        raise ValueError("a handoff needs codes")
    if len(unique) > MOST_CODES:
        raise ValueError(f"more than {MOST_CODES} codes")
    # The brackets stay literal, as in NewStore's documentation and template.
    parts = [f"coupons[]={quote(code, safe='')}" for code in unique]
    parts += [f"cartId={quote(cart_id, safe='')}", f"token={quote(token, safe='')}"]
    return f"{APPLY_COUPONS}?{'&'.join(parts)}"
