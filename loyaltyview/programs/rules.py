"""The rules for a program's values, for the admin form and for files."""

import ipaddress
import re
import unicodedata
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from providers.outbound.addresses import are_private_allowed, names_private

CHANNELS = {"store": _("Store"), "web": _("Web shop")}

# The pairs of kinds of spends (providers.sales.SpendKind) that a program may allow in one cart. How often one
# reward may be applied is `codes_per_reward`.
KINDS_TOGETHER = {
    "reward+reward": _("two different rewards"),
    "reward+voucher": _("a reward and a voucher"),
    "reward+points": _("a reward and points as money"),
    "reward+offer": _("a reward and an offer without points"),
    "voucher+voucher": _("two vouchers"),
    "voucher+points": _("a voucher and points as money"),
    "voucher+offer": _("a voucher and an offer without points"),
    "points+offer": _("points as money and an offer without points"),
    "offer+offer": _("two offers without points"),
}

# What a program may rename (newstore.launch.KEYS, newstore.coupon_list.API, newstore.data_query.NAMES).
# A test holds them together.
LAUNCH_KEYS = frozenset(
    {"token", "external_identity", "cart_id", "customer_email", "profile_id", "loyalty_id", "store_id"}
    | {"associate_id", "currency", "cart_total", "items", "selected_coupons", "item_id", "product_id"}
    | {"price", "coupon_code", "store_object_id", "accent", "good", "warn", "bad"}
    | {"inset_top", "inset_bottom"}
)
COUPON_API = frozenset({"list_path", "code_path", "items", "coupon", "codes", "id", "name", "redemptions"})
DATA_QUERY = frozenset(
    {"path", "orders", "returns", "placed_at", "returned_at", "from", "until", "orders_sorted"}
    | {"returns_sorted", "return_location_id", "item_id", "refund_excl_tax", "refund_tax"}
)
LONGEST_NAME = 100
MOST_NAMES = 10
GRAPHQL_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")


def is_loopback(host: str) -> bool:
    """True for this machine's own names and addresses."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def validate_address(value: str, *, allow_http: bool = False) -> None:
    """Refuse an address of another system that is not https (http: only on this machine, or `allow_http`),
    and a private one where the installation does not allow those."""
    try:
        parts = urlsplit(value)
        host, user = parts.hostname or "", parts.username
        _port = parts.port  # raises ValueError when it is no number
    except ValueError as error:
        raise ValidationError(_("Must be an address such as https://acme.p.newstore.net.")) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ValidationError(_("Must be an address such as https://acme.p.newstore.net."))
    if user is not None:
        raise ValidationError(_("Must not carry a user name or a password."))
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise ValidationError(_("Must begin with https:// (http:// is for this machine only)."))
    if names_private(host) and not are_private_allowed():
        raise ValidationError(_("Must not be an address of this machine or of a private network."))


def validate_text(value: str) -> None:
    """Refuse control characters and lone surrogates: no setting needs them and databases choke on them."""
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
        raise ValidationError(_("Must not contain control characters."))


def validate_time_zone(value: str) -> None:
    """Refuse anything but an IANA name that this machine knows."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: "Europe" is a folder there
        raise ValidationError(_("Must be a time zone such as Europe/Paris.")) from error


def validate_languages(value: Any) -> None:
    """Refuse anything but a list of different languages that Django knows, at least one."""
    known = dict(settings.LANGUAGES)
    _validate_list(value)
    for code in value:
        if code not in known:
            raise ValidationError(
                _("%(code)s is not a language code such as en or fr."), params={"code": code}
            )


def validate_channels(value: Any) -> None:
    """Refuse anything but a list of different sales channels. An empty one reports nothing."""
    _validate_list(value, is_required=False)
    for channel in value:
        if channel not in CHANNELS:
            raise ValidationError(
                _("%(channel)s is not a channel; there are: %(known)s."),
                params={"channel": channel, "known": ", ".join(CHANNELS)},
            )


def pair_of(one: str, other: str) -> str:
    """Return the key of KINDS_TOGETHER for two kinds of spends, in either order."""
    pair = f"{one}+{other}"
    return pair if pair in KINDS_TOGETHER else f"{other}+{one}"


def kinds_of(pair: str) -> set[str]:
    """Return the kinds of spends in a key of KINDS_TOGETHER."""
    return set(pair.split("+"))


def validate_kinds_together(value: Any) -> None:
    """Refuse anything but a list of different pairs of kinds. An empty one allows one code per cart."""
    _validate_list(value, is_required=False)
    for pair in value:
        if pair not in KINDS_TOGETHER:
            raise ValidationError(
                _("%(pair)s is not a pair of kinds; there are: %(known)s."),
                params={"pair": pair, "known": ", ".join(KINDS_TOGETHER)},
            )


def validate_product_names(value: Any) -> None:
    """Refuse anything but an object of product ids, each with a name of one line."""
    if not isinstance(value, dict):
        raise ValidationError(_("Must be an object of names."))
    for product, name in value.items():
        if not _is_name(product) or not _is_name(name):
            raise ValidationError(_("%(name)s must be a text."), params={"name": product[:LONGEST_NAME]})


def validate_launch_keys(value: Any) -> None:
    """Refuse anything but an object of our names, each with the app's name for it or a list of names. An
    empty list means that the value is never read."""
    for name, given in _named(value, LAUNCH_KEYS):
        names = [given] if isinstance(given, str) else given
        if not isinstance(names, list) or len(names) > MOST_NAMES or not all(map(_is_name, names)):
            raise ValidationError(_("%(name)s must be a name or a list of names."), params={"name": name})


def validate_coupon_api(value: Any) -> None:
    """Refuse anything but an object of known names and texts; a path begins with a slash."""
    for name, given in _named(value, COUPON_API):
        if not _is_name(given):
            raise ValidationError(_("%(name)s must be a text."), params={"name": name})
        if not name.endswith("_path"):
            continue
        needed = ["{coupon}", "{code}"] if name == "code_path" else []
        if not given.startswith("/") or any(part not in given for part in needed):
            raise ValidationError(
                _("%(name)s must be a path such as %(example)s."),
                params={"name": name, "example": "/coupon/{coupon}/code/{code}" if needed else "/coupon"},
            )


def validate_data_query(value: Any) -> None:
    """Refuse anything but an object of known names and names of GraphQL; the path begins with a slash."""
    for name, given in _named(value, DATA_QUERY):
        if not _is_name(given):
            raise ValidationError(_("%(name)s must be a text."), params={"name": name})
        if name == "path" and not given.startswith("/"):
            raise ValidationError(
                _("%(name)s must be a path such as %(example)s."),
                params={"name": name, "example": "/api/v1/org/data/query"},
            )
        if name != "path" and not GRAPHQL_NAME.fullmatch(given):
            raise ValidationError(
                _("%(name)s must be a name of GraphQL, such as placedAt."), params={"name": name}
            )


def _named(value: Any, known: frozenset[str]) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise ValidationError(_("Must be an object of names."))
    for name in value:
        if name not in known:
            raise ValidationError(
                _("%(name)s is not known; there are: %(known)s."),
                params={"name": name, "known": ", ".join(sorted(known))},
            )
    return list(value.items())


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def _validate_list(value: Any, *, is_required: bool = True) -> None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValidationError(_("Must be a list of texts."))
    if is_required and not value:
        raise ValidationError(_("Must name at least one."))
    if len(set(value)) != len(value):
        raise ValidationError(_("Must not name one twice."))
