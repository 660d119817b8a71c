"""Always-on offers: discounts of the program without points and without a redemption.

Source: docs/contracts/whitelabel.md 1.4, 2.6. The engine says which offers a member may have only when it is
asked as that member, by a token that the tenant's own identity provider signs; with its key we sign one.
Asked as an administrator it lists all: then those for an audience are left out.
"""

import structlog
from django.utils.translation import gettext as _

from providers import clock
from providers.answers import at, moment, rows
from providers.dates import end_of
from providers.errors import AuthFailed, Rejected, RejectReason
from providers.types import Voucher
from providers.whitelabel import rewards
from providers.whitelabel.client import OFFER, Client, Json, Refused
from providers.whitelabel.members import get_user, wallet
from providers.whitelabel.settings import AS_ADMIN, AS_MEMBER
from providers.whitelabel.venues import stores_by_venue
from providers.whitelabel.worth import read_discount

log = structlog.get_logger(__name__)

MOST_ROWS = 1000  # the longest list; an engine that ignores our filter puts all rewards into it


def list_offers(client: Client, ref: str) -> tuple[Voucher, ...]:
    """Return the offers that the member may have now and that take something off."""
    return describe_offers(client, ref, read_own(client, ref))


def describe_offers(client: Client, ref: str, own: list[Json]) -> tuple[Voucher, ...]:
    """Return the offers of `own`, and of those for everybody, that fit the member now."""
    if client.settings.offers == AS_ADMIN:
        own = [row for row in rewards.all_rewards(client) if not _has_audience(client, row)]
    takes_off = [row for row in own if _takes_off(client, row)]
    if not takes_off:
        return ()
    purse, now, stores = wallet(client, ref), clock.now(), stores_by_venue(client)
    fitting = [row for row in takes_off if rewards.lock_of(client, row, purse, 0, 0, now) is None]
    return tuple(_describe(client, row, stores) for row in fitting)


def get_offer(client: Client, ref: str, offer_id: str) -> Voucher:
    """Return one offer as it is now; raise Rejected(REWARD_NOT_FOUND)."""
    for offer in list_offers(client, ref):
        if offer.voucher_id == offer_id:
            return offer
    raise Rejected(RejectReason.REWARD_NOT_FOUND)


def check_access(client: Client, users: list[Json]) -> None:
    """Read the offers as the first of these users who has a login, where the program does so. Raises
    AuthFailed where the engine refuses the token."""
    logins = [login for user in users if (login := _login(user))]
    if client.settings.offers == AS_MEMBER and logins:
        client.rows_as(
            logins[0], "/rewards", operation="list_offers", filters={"filter_type": OFFER}, limit=1
        )


def read_own(client: Client, ref: str) -> list[Json]:
    """Return what the engine offers the member when it is asked as that member; nothing where the program
    does not do so, or the member has never logged in and has no token. Where the engine refuses our token, or
    to answer it, there is nothing either: the vouchers beside the offers stay usable."""
    if client.settings.offers != AS_MEMBER:
        return []
    try:
        login = _login(get_user(client, ref))
        return _read_as(client, login) if login else []
    except (AuthFailed, Refused) as error:
        log.warning("offers_refused", program=client.config.program, detail=error.detail)
        return []


def _read_as(client: Client, login: str) -> list[Json]:
    filters = {"filter_type": OFFER}
    return client.rows_as(
        login, "/rewards", operation="list_offers", filters=filters, params=client.locale, limit=MOST_ROWS
    )


def _login(user: Json) -> str:
    """Return the subject of the user's tokens, "" for one who has never logged in."""
    login = user.get("authIdentifier")
    return login if isinstance(login, str) else ""


def _has_audience(client: Client, row: Json) -> bool:
    """Return whether an offer is for some members only, as far as it says so."""
    return any(bool(value) for value in client.names.found(row, "offer_audience"))


def _takes_off(client: Client, row: Json) -> bool:
    """Return whether a row is an offer of now with a discount. Most offers only tell something, and one that
    can be bought leads to another page."""
    ends_at = end_of(at(row, "availability.end"), client.config, moment)
    is_over = ends_at is not None and ends_at <= clock.now()
    has_discount = bool(rows(client.names.find(row, "discounts")))
    return row.get("type") == OFFER and not row.get("purchasable") and not is_over and has_discount


def _describe(client: Client, row: Json, stores: dict[str, str]) -> Voucher:
    return Voucher(
        voucher_id=str(row.get("id")),
        title=str(row.get("name") or _("Offer")),
        discount=read_discount(client, row, stores),
        description=str(row.get("summary") or row.get("description") or ""),
        expires_at=end_of(at(row, "availability.end"), client.config, moment),
        is_offer=True,
    )
