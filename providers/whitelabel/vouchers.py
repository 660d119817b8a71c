"""The member's vouchers (benefits): listed, looked up by a code, and used.

Source: docs/contracts/whitelabel.md 2.3 to 2.5. No filter is trusted: a benefit whose owner is not the member
is dropped. Every step of using one is final at the vendor: redeem, validate, burn. A benefit that its owner
redeemed in the app (member-led) is validated at once. One that is whole (cashier-led) is redeemed first.
Until it is burned the member can use it another time, so a failure before that point loses nothing.
"""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from providers import clock
from providers.answers import at, inner, moment, rows
from providers.dates import end_of
from providers.errors import OutcomeUnknown, ProviderError, Rejected, RejectReason, UnexpectedAnswer
from providers.outbound.exchange import segment
from providers.texts import id_key, other_spellings
from providers.types import Discount, Voucher
from providers.whitelabel.client import VOUCHER, Client, Json, Refused
from providers.whitelabel.members import get_user, wallet
from providers.whitelabel.venues import stores_by_venue
from providers.whitelabel.worth import read_discount

# What a refused look at a code means (docs/contracts/whitelabel.md 3; the texts are no interface).
REASONS = {404: RejectReason.REWARD_NOT_FOUND, 409: RejectReason.ALREADY_USED}


def list_vouchers(client: Client, ref: str) -> tuple[Voucher, ...]:
    """Return the member's vouchers that are not burned: still to be redeemed, or redeemed in the app."""
    stores = stores_by_venue(client)
    now = clock.now()
    benefits = [row for row in list_benefits(client, ref) if is_usable(client, row, now)]
    return tuple(
        describe_voucher(client, row, stores)
        for row in sorted(benefits, key=lambda row: (str(row.get("expiresAt") or "~"), str(row.get("id"))))
    )


def look(client: Client, ref: str, code: str) -> Voucher:
    """Return the voucher of a code that was typed or scanned, without burning it. Raises Rejected."""
    code = code.strip()
    if not code:
        raise Rejected(RejectReason.REWARD_NOT_FOUND)
    code, benefit = _looked_up(client, ref, code)
    if owner_of(client, benefit) not in (ref, ""):
        raise Rejected(RejectReason.NOT_ALLOWED, "another member's voucher")
    if not isinstance(benefit.get("id"), str):
        raise UnexpectedAnswer("look_voucher: no benefit id")
    # Rows of a validation may miss the owner; the benefit itself has it.
    whole = {**get_benefit(client, ref, benefit["id"]), "code": {"value": code}}
    if whole.get("burnedAt"):
        raise Rejected(RejectReason.ALREADY_USED)
    return describe_voucher(client, {**whole, **_discounts(client, benefit)}, stores_by_venue(client))


def list_benefits(client: Client, ref: str, purse: Json | None = None) -> list[Json]:
    """Return the member's benefits: those to redeem from the list, those in the wallet.

    The wallet is the member's by its address, so its rows need no owner; rows of the list without one
    are dropped. A list that ignores our filter thus takes nothing away from what the wallet shows. `purse` is
    the wallet where it was read already.
    """
    owned = rows(client.names.find(purse or wallet(client, ref), "wallet_vouchers"))
    found = {str(row.get("id")): row for row in owned if owner_of(client, row) in (ref, "")}
    for row in _listed(client, ref):
        if owner_of(client, row) == ref:
            found[str(row.get("id"))] = row
    return list(found.values())


def get_benefit(client: Client, ref: str, benefit_id: str) -> Json:
    """Return one benefit of the member; raise Rejected(REWARD_NOT_FOUND), also for one of others."""
    try:
        data = client.get(f"/benefits/{segment(benefit_id)}", operation="get_benefit", params=client.locale)
    except Refused as refused:
        raise Rejected(RejectReason.REWARD_NOT_FOUND, str(refused)) from refused
    if not isinstance(data, dict) or owner_of(client, data) != ref:
        raise Rejected(RejectReason.REWARD_NOT_FOUND, "the benefit is not the member's")
    return data


def describe_voucher(client: Client, benefit: Json, stores: dict[str, str]) -> Voucher:
    """Return a benefit in our words."""
    reward = reward_in(benefit)
    return Voucher(
        voucher_id=str(benefit.get("id")),
        title=str(reward.get("name") or _("Voucher")),
        discount=read_discount(client, benefit, stores),
        code=client.names.text(benefit, "benefit_code"),
        expires_at=end_of(benefit.get("expiresAt"), client.config, moment),
        is_final=True,
    )


def owner_of(client: Client, benefit: Json) -> str:
    """Return the owner's id, "" where the row has none."""
    return client.names.text(benefit, "benefit_owner").lower()


def reward_in(benefit: Json) -> Json:
    """Return the reward of a benefit."""
    return inner(benefit, "reward")


def check(client: Client, benefit: Json) -> None:
    """Raise Rejected for a benefit that cannot be used any more."""
    if benefit.get("burnedAt"):
        raise Rejected(RejectReason.ALREADY_USED)
    if is_expired(client, benefit, clock.now()):
        raise Rejected(RejectReason.EXPIRED)
    if not is_usable(client, benefit, clock.now()):
        reason = RejectReason.ALREADY_USED if benefit.get("redeemedAt") else RejectReason.NOT_ALLOWED
        raise Rejected(reason)


def is_usable(client: Client, benefit: Json, now: datetime) -> bool:
    """Return whether a benefit can still be used. There is no status: the times tell
    (docs/contracts/whitelabel.md 2.3)."""
    if benefit.get("type") != VOUCHER or benefit.get("burnedAt"):
        return False
    if benefit.get("redeemedAt"):
        # Redeemed without a code: it was only to be shown, and that was its use.
        return bool(client.names.text(benefit, "benefit_code"))
    return not is_expired(client, benefit, now)


def is_expired(client: Client, benefit: Json, now: datetime) -> bool:
    """Return whether a benefit ran out before it was redeemed."""
    ends_at = end_of(benefit.get("expiresAt"), client.config, moment)
    is_validated = bool(at(benefit, "code.validatedAt"))
    return ends_at is not None and ends_at < now and not benefit.get("redeemedAt") and not is_validated


def redeem(client: Client, ref: str, benefit: Json) -> Json:
    """Return the benefit, redeemed. Raises Rejected, and whatever a write raises."""
    if benefit.get("redeemedAt"):
        return benefit
    benefit_id = str(benefit.get("id"))
    try:
        redeemed = client.send(
            "/commands/redeem_benefit", {"benefitId": benefit_id}, operation="redeem_benefit"
        )
    except Refused as refused:
        # Perhaps the member redeemed it in the app a moment ago: what the benefit says now counts.
        fresh = get_benefit(client, ref, benefit_id)
        check(client, fresh)
        if fresh.get("redeemedAt"):
            return fresh
        raise refused.rejected(RejectReason.NOT_ALLOWED) from refused
    if isinstance(redeemed, dict) and client.names.text(redeemed, "benefit_code"):
        return redeemed
    try:
        return get_benefit(client, ref, benefit_id)
    except ProviderError as error:
        # Where it has no code, redeeming was its use.
        raise OutcomeUnknown("redeemed, and the benefit cannot be read") from error


def burn(client: Client, ref: str, benefit: Json, store: str, shown: Discount | None) -> None:
    """Burn a redeemed benefit. With `shown`, first look whether it still takes off what the page said.
    One without a code was only to be shown: redeeming was its use.

    Raises Rejected (it is not burned by us), OutcomeUnknown, UnexpectedAnswer (it may be burned).
    """
    code = client.names.text(benefit, "benefit_code")
    if not code:
        return
    body: Json = {"code": code, "userIdentifier": _identifier(client, ref)}
    if store:
        body["venueIdentifier"] = store
    try:
        if shown is not None:
            looked = _validated(client, body, is_look=True)
            now = read_discount(client, {**benefit, **_discounts(client, looked)}, stores_by_venue(client))
            if now != shown:
                raise Rejected(RejectReason.PRICE_CHANGED, "the discount differs from what was shown")
        burned = _validated(client, body, is_look=False)
    except Refused as refused:
        fresh = get_benefit(client, ref, str(benefit.get("id")))
        check(client, fresh)
        raise refused.rejected(RejectReason.NOT_ALLOWED) from refused
    if not burned.get("burnedAt"):
        # The engine agreed and does not show it: `find_spend` asks the benefit itself.
        raise OutcomeUnknown("burn_voucher: no sign of it in the answer")


def _looked_up(client: Client, ref: str, code: str) -> tuple[str, Json]:
    """Return the code as the engine has it, and its benefit. The engine compares letter by letter: where it
    knows none, the member's own vouchers and at most three other spellings are tried, as long as it knows
    none."""
    unknown = Rejected(RejectReason.REWARD_NOT_FOUND)
    for spelled in _spellings(client, ref, code):
        try:
            # Without the member: whose it is, is compared by the caller, and told apart from an unknown code.
            return spelled, _validated(client, {"code": spelled}, is_look=True)
        except Refused as refused:
            reason = REASONS.get(refused.status, RejectReason.NOT_ALLOWED)
            unknown = refused.rejected(reason)
            if reason is not RejectReason.REWARD_NOT_FOUND:
                raise unknown from refused
    raise unknown


def _spellings(client: Client, ref: str, code: str) -> Iterator[str]:
    yield code
    owned = [voucher.code for voucher in list_vouchers(client, ref)]
    alike = [each for each in owned if each and id_key(each) == id_key(code)]
    yield from dict.fromkeys(each for each in (*alike, *other_spellings(code)) if each != code)


def _listed(client: Client, ref: str) -> list[Json]:
    params: dict[str, str | int] = {"redeemable": "true", **client.locale}
    if parameter := client.names["benefit_user"]:
        params[parameter] = ref
        return client.rows("/benefits", operation="list_benefits", params=params)
    return client.rows("/benefits", operation="list_benefits", params=params, filters={"filter_owner": ref})


def _validated(client: Client, body: Json, *, is_look: bool) -> Json:
    if is_look:
        # Changes nothing that counts, so it may be repeated; the flag is what keeps the voucher whole.
        data = client.test(
            "/commands/validate_voucher", {**body, "allowFutureValidation": True}, operation="look_voucher"
        )
    else:
        data = client.send("/commands/validate_voucher", body, operation="burn_voucher")
    if not isinstance(data, dict):
        raise UnexpectedAnswer("validate_voucher: not an object")
    return data


def _discounts(client: Client, validated: Json) -> Json:
    found = client.names.find(validated, "discounts")
    return {"discounts": found} if isinstance(found, list) and found else {}


def _identifier(client: Client, ref: str) -> str:
    """Return what names the member to a validation. Assumed: the subject of the login to the app where
    there is one, else the vendor's id."""
    return str(get_user(client, ref).get("authIdentifier") or ref)
