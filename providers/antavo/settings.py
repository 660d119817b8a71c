"""The settings of a program, `[provider.antavo]`, and the names that no document of Antavo confirms."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from django.conf import settings as django_settings

from providers.errors import SettingsError
from providers.names import Names
from providers.outbound import addresses, sftp
from providers.settings import VendorSettings, names_setting, setting

# Every word sent to or read from Antavo that is not in the documents we could read.
# Source: docs/contracts/antavo.md 3.4 to 3.6, 2.3, 8, 13.
NAMES = {
    # Attributes of events that we send.
    "coupon_code": "code",
    "coupon_transaction": "transaction_id",
    "coupon_amount": "amount",
    "refund_amount": "amount",
    "update_total": "total",
    "item_product": "product_id",
    "item_quantity": "quantity",
    "item_amount": "subtotal",
    "unspend_points": "points",
    "unspend_transaction": "transaction_id",
    "store": "store",
    "consent_email": "email_consent",
    "consent_sms": "sms_consent",
    # Properties of events that we read.
    "event_reward": "reward",
    "event_coupon": "coupon",
    "event_code": "code",
    "event_transaction": "transaction_id",
    # Attributes of answers.
    "expiring_points": "points",
    "expiring_at": "date",
    "discount_type": "discount_type",
    "discount_value": "discount_value",
    "discount_minimum": "discount_minimum",
    "discount_skus": "discount_skus",
    # Event names that are documented, though not for use by an integration.
    "point_unspend": "point_unspend",
    "refund_item": "refund_item",
}
# The columns of a file for the import of events: Antavo's template has them, and is not public. "amount" is
# the column of a partial refund. "error" is the column with the reason in a list of refused lines.
FEED_COLUMNS = {
    "customer": "customer",
    "action": "action",
    "account": "account",
    "transaction_id": "transaction_id",
    "total": "total",
    "amount": "amount",
    "currency": "currency",
    "store": "store",
    "effective_timestamp": "effective_timestamp",
    "items": "items",
    "error": "error",
}
FEED_NEEDED = ("customer", "action", "transaction_id", "total", "amount", "error")
LONGEST_NAME = 150
DELIMITERS = {"comma": ",", "semicolon": ";", "pipe": "|", "tab": "\t"}
# The one delivery that Antavo shows: a coupon that was claimed. A place is the names, joined by dots.
WEBHOOK_FIELDS = {"event": "eventName", "id": "", "member": "consentGuid", "ref": "voucherCode"}


def split_names(given: str) -> tuple[str, ...]:
    """Return the names in a text with commas; they may contain blanks."""
    return tuple(name.strip() for name in given.split(",") if name.strip())


def split_words(given: str) -> tuple[str, ...]:
    """Return the words in a text with commas or blanks."""
    return tuple(filter(None, re.split(r"[,\s]+", given)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponTerms:
    """What a reward takes off, in the words of a coupon pool: amount, percentage, free_shipping, physical."""

    type: str
    value: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    skus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(VendorSettings):
    base_url: str = setting(required=True, help="Such as https://api.st9.antavo.com")
    environment: str = setting(default="", help="The stack in signatures; empty: from base_url.")
    # A "/" would end the key where Antavo splits the credential (docs/contracts/antavo.md 1.2).
    api_key: str = setting(
        required=True,
        is_secret=True,
        pattern=r"[A-Za-z0-9_-]+",
        pattern_help="must be letters, digits, - and _",
        help="Settings > API in Antavo.",
    )
    api_secret: str = setting(required=True, is_secret=True, help="Shown once by Antavo.")
    account: str = setting(default="", help="Account whose points are spent; empty: the only one.")
    tier_structure: str = setting(default="", help="Id of the structure to show; empty: the first.")
    tiers: tuple[str, ...] = setting(
        default="",
        type=str,
        make=split_names,
        help="Names of the tiers, the lowest first, separated by commas.",
    )
    reward_tiers: Mapping[str, str] = setting(
        help="By reward id: the lowest tier that may have it; needs tiers."
    )
    tier_unit: str = setting(default="points", help="points, or the currency of a spend-based tier.")
    phone_field: str = setting(default="mobile_phone", help="Searchable field with the phone.")
    card_fields: tuple[str, ...] = setting(
        default="",
        type=str,
        make=split_words,
        help="External id fields on cards, separated by commas.",
    )
    discounts: Mapping[str, CouponTerms] = setting(
        help="By reward or coupon pool: type, value, minimum, skus."
    )
    has_offers: bool = setting(default=True, help="The Offers module is on.")
    orders: str = setting(
        default="now",
        choices=("now", "queue", "asynchronous", "feed"),
        help="How purchases are sent: now; queue (later, in bulk); asynchronous (Async Events API); "
        "feed (a daily file).",
    )
    client_id: str = setting(
        default="", help="For asynchronous: an auth client with the scope loyalty.async_events."
    )
    client_secret: str = setting(default="", is_secret=True, help="Shown once, with the client_id.")
    feed_target: str = setting(
        default="folder",
        choices=("folder", "sftp"),
        help="Where daily files are put: folder (below FEED_FOLDER) or sftp.",
    )
    feed_hour: int = setting(
        default=3, minimum=0, maximum=23, help="Hour of the daily file, in the program's time zone."
    )
    feed_name: str = setting(
        default="{program}-{day}-{number}.csv",
        pattern=r"(?!\.)([\w.-]|\{program\}|\{day\}|\{number\})+",
        pattern_help="must be letters, digits, . _ - and {program}, {day}, {number}, and begin with no dot",
        help="Name of a daily file: {program}, {day}, {number} are filled in.",
    )
    feed_format: str = setting(default="csv", choices=("csv", "json"), help="Format of daily files.")
    feed_delimiter: str = setting(
        default="comma", choices=tuple(DELIMITERS), help="Between the values of a line."
    )
    feed_columns: Names = names_setting(
        FEED_COLUMNS, needed=FEED_NEEDED, help="The workspace's names of a file's columns; empty: left out."
    )
    feed_errors: str = setting(
        default="errors",
        pattern=r"[\w-]+",
        pattern_help="must be letters, digits, _ and -",
        help="Folder in which lists of refused lines are found.",
    )
    sftp_host: str = setting(default="", help="The server from which Antavo imports.")
    sftp_port: int = setting(default=22, minimum=1, maximum=65535)
    sftp_user: str = setting(default="")
    sftp_password: str = setting(default="", is_secret=True, help="Or sftp_key.")
    sftp_key: str = setting(default="", is_secret=True, help="Private key without a passphrase.")
    sftp_host_key: str = setting(
        default="", help="The server's public key, as in known_hosts: ssh-ed25519 AAAA..."
    )
    sftp_folder: str = setting(default="", help="Folder on the server; empty: the first one.")
    accepts_checkouts: bool = setting(default=False, help="Accept pending checkouts.")
    returns: str = setting(
        default="amount",
        choices=("amount", "items"),
        help="How a part of an order is refunded: by its amount, or item by item (refund_item).",
    )
    refund_returns_points: bool = setting(default=True, help="A refund gives burned points back.")
    webhook_auth: str = setting(
        default="path",
        choices=("path", "jwt", "basic"),
        help="path (the secret address alone), jwt or basic.",
    )
    webhook_key: str = setting(default="", is_secret=True, help="HS256 key, or user:password.")
    webhook_fields: Names = names_setting(
        WEBHOOK_FIELDS, needed=(), help="Where event, id, member and ref stand in a body."
    )
    webhook_events: Mapping[str, str] = setting(help="The workspace's name of an event: ours.")
    calls_per_minute: int = setting(default=1500, minimum=1, help="Shared stacks allow 1500.")
    names: Names = names_setting(NAMES, help="Other names for what Antavo does not document.")

    @property
    def stack(self) -> str:
        """st9 of https://api.st9.antavo.com, as Antavo's own cartridge reads it; "" where there is none."""
        labels = (urlsplit(self.base_url).hostname or "").split(".")
        is_address = all(label.isdecimal() for label in labels)
        return self.environment or ("" if is_address or len(labels) < 4 else labels[1])

    def check(self) -> None:
        address = urlsplit(self.base_url)
        if address.scheme != "https" and address.hostname not in ("127.0.0.1", "localhost"):
            raise SettingsError("base_url", "must be https")
        if not self.stack:
            raise SettingsError("environment", "missing: base_url does not tell it")
        if self.orders == "asynchronous" and not (self.client_id and self.client_secret):
            raise SettingsError("client_id" if not self.client_id else "client_secret", "missing")
        if self.orders == "feed" and self.returns == "items":
            raise SettingsError("returns", 'must be amount where orders is "feed"')
        if self.orders == "feed":
            self._check_feed()
        if self.webhook_auth != "path" and not self.webhook_key:
            raise SettingsError("webhook_key", "missing")
        for reward_id, tier in self.reward_tiers.items():
            if tier not in self.tiers:
                raise SettingsError("reward_tiers", "must be one of tiers", (reward_id,))

    def _check_feed(self) -> None:
        if len(self.feed_name.format(program="p" * 50, day="20260301", number=1000)) > LONGEST_NAME:
            raise SettingsError("feed_name", "is too long")
        if self.feed_target == "folder":
            if not django_settings.FEED_FOLDER:
                raise SettingsError("feed_target", "this installation has no FEED_FOLDER")
            return
        if not sftp.is_installed():
            raise SettingsError("feed_target", "sftp needs the package paramiko")
        for name in ("sftp_host", "sftp_user", "sftp_host_key"):
            if not getattr(self, name):
                raise SettingsError(name, "missing")
        if addresses.names_private(self.sftp_host) and not addresses.are_private_allowed():
            raise SettingsError("sftp_host", "is a private address; see ALLOW_PRIVATE_ADDRESSES")
        if not (self.sftp_password or self.sftp_key):
            raise SettingsError("sftp_password", "missing, and there is no sftp_key")
        try:
            sftp.read_host_key(self.sftp_host_key)
        except ValueError:
            raise SettingsError("sftp_host_key", "must be a public key, as in known_hosts") from None
        try:
            if self.sftp_key:
                sftp.read_private_key(self.sftp_key)
        except ValueError:
            raise SettingsError("sftp_key", "must be a private key without a passphrase") from None
