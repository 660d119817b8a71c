"""The member's vouchers (benefits): listed and used.

Source: docs/contracts/whitelabel.md 2.3 to 2.5. No filter is trusted: a benefit whose owner is not the member
is dropped. Every step of using one is final at the vendor: redeem, validate, burn. A benefit that its owner
redeemed in the app (member-led) is validated at once. One that is whole (cashier-led) is redeemed first.
Until it is burned the member can use it another time, so a failure before that point loses nothing.

A code that is the same for everybody (STATIC), or none (HUMAN), is not burned for sure: our own journal
counts that each such benefit is used once.
"""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from providers import clock
from providers.answers import at, inner, moment, rows
from providers.dates import end_of
from providers.errors import OutcomeUnknown, ProviderError, Rejected, RejectReason, UnexpectedAnswer
from providers.journal.models import WriteKind, WriteState
from providers.outbound import sharing
from providers.outbound.exchange import segment
from providers.outbound.parallel import together
from providers.types import Discount, Lock, LockReason, Voucher
from providers.whitelabel.client import VOUCHER, Client, Json, Refused
from providers.whitelabel.members import PROFILE_S, login_of, wallet
from providers.whitelabel.venues import stores_by_venue
from providers.whitelabel.worth import brand_of, is_gift_card, is_same, read_discount

STATIC, HUMAN = "STATIC", "HUMAN"
# A spend that may have happened, or that did and was given back: its benefit was redeemed for it.
HAPPENED = (WriteState.SENT, WriteState.DONE, WriteState.UNDONE)


def list_vouchers(client: Client, ref: str) -> tuple[Voucher, ...]:
    """Return the member's vouchers that are not burned: still to be redeemed, or redeemed in the app. And the
    gift cards, which are only shown."""
    stores = stores_by_venue(client)
    return tuple(describe_voucher(client, row, stores) for row in usable_benefits(client, ref))


def usable_benefits(client: Client, ref: str) -> list[Json]:
    """Return the benefits that the page shows, those that expire first in front."""
    now = clock.now()
    benefits = [row for row in list_benefits(client, ref) if _is_shown(client, row, now)]
    if any(is_counted_here(row) for row in benefits):
        used = used_here(client, ref)
        benefits = [row for row in benefits if not (is_counted_here(row) and row.get("id") in used)]
    return sorted(benefits, key=lambda row: (str(row.get("expiresAt") or "~"), str(row.get("id"))))


def used_here(client: Client, ref: str) -> set[str]:
    """Return the ids of the benefits that this till system has used for the member."""
    spends = client.journal.writes(WriteKind.SPEND, member_ref=ref, state__in=HAPPENED)
    return {value for row in spends.values_list("vendor_ref", "item_id") for value in row if value}


def list_benefits(client: Client, ref: str) -> list[Json]:
    """Return the member's benefits: those to redeem from the list, those in the wallet.

    The wallet is the member's by its address, so its rows need no owner; rows of the list without one
    are dropped. A list that ignores our filter thus takes nothing away from what the wallet shows.
    """
    listed, purse = together(lambda: _listed(client, ref), lambda: wallet(client, ref))
    found = {str(row.get("id")): row for row in in_wallet(client, ref, purse) or ()}
    for row in listed:
        if owner_of(client, row) == ref:
            found[str(row.get("id"))] = row
    return list(found.values())


def in_wallet(client: Client, ref: str, purse: Json) -> list[Json] | None:
    """Return the vouchers in the member's wallet, which are not burned; None where it has no list of them."""
    listed = client.names.find(purse, "wallet_vouchers")
    if not isinstance(listed, list):
        return None
    return [row for row in rows(listed) if owner_of(client, row) in (ref, "")]


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
    reward, is_card = reward_in(benefit), is_gift_card(benefit)
    return Voucher(
        voucher_id=str(benefit.get("id")),
        title=str(reward.get("name") or _("Voucher")),
        discount=read_discount(client, benefit, stores),
        # A gift card's code is money: it stays with the member.
        code="" if is_card else client.names.text(benefit, "benefit_code"),
        expires_at=end_of(benefit.get("expiresAt"), client.config, moment),
        lock=_of_gift_card(benefit) if is_card else None,
        is_final=True,
    )


def _of_gift_card(benefit: Json) -> Lock:
    text = _("The member has it by e-mail or in the app.")
    if brand := brand_of(benefit):
        text = _("It is a gift card of %(brand)s.") % {"brand": brand} + f" {text}"
    return Lock(reason=LockReason.OTHER, text=text)


def owner_of(client: Client, benefit: Json) -> str:
    """Return the owner's id, "" where the row has none."""
    return client.names.text(benefit, "benefit_owner").lower()


def reward_in(benefit: Json) -> Json:
    """Return the reward of a benefit."""
    return inner(benefit, "reward")


def check_unused(client: Client, ref: str, benefit: Json) -> None:
    """As `check`, before a spend: what only our journal counts must not be used there either."""
    check(client, benefit)
    if is_counted_here(benefit) and benefit["id"] in used_here(client, ref):
        raise Rejected(RejectReason.ALREADY_USED)


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
    if benefit.get("redeemedAt") and code_type(benefit) == HUMAN:
        return _is_being_shown(client, benefit)
    if benefit.get("redeemedAt"):
        # Redeemed without a code: it was only to be shown, and that was its use.
        return bool(client.names.text(benefit, "benefit_code"))
    return not is_expired(client, benefit, now)


def code_type(benefit: Json) -> str:
    """Return how the codes of a benefit's reward are made: OTP, POOL, STATIC or HUMAN."""
    return str(reward_in(benefit).get("codeType") or "")


def is_counted_here(benefit: Json) -> bool:
    """Return whether our journal counts the use of a benefit, which the engine may not show."""
    return code_type(benefit) in (STATIC, HUMAN)


def _is_being_shown(client: Client, benefit: Json) -> bool:
    """Return whether the app may still show the screen of a HUMAN voucher, by the engine's clock."""
    at = moment(benefit.get("redeemedAt"))
    minutes = timedelta(minutes=client.settings.human_minutes)
    return at is not None and client.now() <= at + minutes


def _is_shown(client: Client, benefit: Json, now: datetime) -> bool:
    is_open = not benefit.get("burnedAt") and not is_expired(client, benefit, now)
    return (is_gift_card(benefit) and is_open) or is_usable(client, benefit, now)


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
    One without a code was only to be shown: redeeming was its use. A code that is the same for everybody is
    burned only where the engine takes it for this very benefit: else it would burn another member's.

    Raises Rejected (it is not burned by us), OutcomeUnknown, UnexpectedAnswer (it may be burned).
    """
    code = client.names.text(benefit, "benefit_code")
    if not code or code_type(benefit) == HUMAN:
        return
    with sharing.sharing(client.config.program, ref, max_age_s=PROFILE_S):
        body: Json = {"code": code, "userIdentifier": login_of(client, ref)}
    if store:
        body["venueIdentifier"] = store
    if code_type(benefit) == STATIC and not _is_of(client, benefit, body):
        return
    try:
        if shown is not None:
            looked = validated(client, body, is_look=True)
            now = read_discount(client, {**benefit, **discounts_in(client, looked)}, stores_by_venue(client))
            if not is_same(shown, now):
                raise Rejected(RejectReason.PRICE_CHANGED, "the discount differs from what was shown")
        burned = validated(client, body, is_look=False)
    except Refused as refused:
        fresh = get_benefit(client, ref, str(benefit.get("id")))
        check(client, fresh)
        raise refused.rejected(RejectReason.NOT_ALLOWED) from refused
    if not burned.get("burnedAt"):
        # The engine agreed and does not show it: `find_spend` asks the benefit itself.
        raise OutcomeUnknown("burn_voucher: no sign of it in the answer")


def _listed(client: Client, ref: str) -> list[Json]:
    params: dict[str, str | int] = {"redeemable": "true", **client.locale}
    if parameter := client.names["benefit_user"]:
        params[parameter] = ref
        return client.rows("/benefits", operation="list_benefits", params=params)
    return client.rows("/benefits", operation="list_benefits", params=params, filters={"filter_owner": ref})


def validated(client: Client, body: Json, *, is_look: bool) -> Json:
    """Return what the engine says of a code: only looked at with `is_look`, else burned. Raises Refused."""
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


def discounts_in(client: Client, validated: Json) -> Json:
    """Return the discounts in the answer of a validation, as a benefit has them."""
    found = client.names.find(validated, "discounts")
    return {"discounts": found} if isinstance(found, list) and found else {}


def _is_of(client: Client, benefit: Json, body: Json) -> bool:
    """Return whether the engine takes the code in `body`, with this member, for this benefit."""
    try:
        return validated(client, body, is_look=True).get("id") == benefit.get("id")
    except Refused:
        return False
