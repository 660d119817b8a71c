"""How the app reads an address that its WebView is asked to open.

Source: docs/contracts/newstore.md 2. The text is parsed by hand: URL classes lower-case the host and
decode the brackets, and the app does neither.
"""

from dataclasses import dataclass
from urllib.parse import unquote

SCHEME = "com.newstore.associate-one://"
HOST = "cart.more.loyaltyProgram"
PATH = "/applyCoupons"
MAX_CODES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    codes: tuple[str, ...]
    cart_id: str
    token: str


class Ignored(Exception):
    """The address is no callback that the app handles; the text says why."""


def read_deeplink(address: str) -> Callback:
    """Return the callback in `address`. Raises Ignored."""
    if not address.startswith(SCHEME):
        raise Ignored("The address has another scheme.")
    place, _, query = address.removeprefix(SCHEME).partition("?")
    host, slash, path = place.partition("/")
    if host != HOST:
        raise Ignored(f"Unknown integration point {host!r}.")
    if slash + path != PATH:
        raise Ignored(f"Unknown action {slash + path!r}.")
    fields: dict[str, list[str]] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        fields.setdefault(name, []).append(unquote(value))
    codes = tuple(dict.fromkeys(code for code in fields.get("coupons[]", []) if code))
    if not codes:
        raise Ignored("The callback carries no code.")
    if len(codes) > MAX_CODES:
        raise Ignored(f"The callback carries more than {MAX_CODES} codes.")
    if any(len(fields.get(name, [])) != 1 for name in ("cartId", "token")):
        raise Ignored("The callback needs one cartId and one token.")
    return Callback(codes=codes, cart_id=fields["cartId"][0], token=fields["token"][0])
