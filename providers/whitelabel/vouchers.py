"""Using a benefit: redeem, validate, burn. Every step is final at the vendor.

Source: docs/contracts/whitelabel.md 2.4, 2.5. A benefit that its owner redeemed in her app (member-led) is
validated at once; one that is still whole (cashier-led) is redeemed first. Until it is burned it stays hers
and can be used another time, so a failure before that point loses nothing.
"""

from collections.abc import Iterator

from providers import clock
from providers.errors import OutcomeUnknown, ProviderError, Rejected, RejectReason, UnexpectedAnswer
from providers.texts import id_key, other_spellings
from providers.types import Discount, Spend, SpendKind, Voucher
from providers.whitelabel import catalogue
from providers.whitelabel.discounts import read_discount
from providers.whitelabel.engine import Engine, Json, Refused
from providers.whitelabel.members import get_user
from providers.whitelabel.venues import stores_by_venue

# What the memo of a spend says of its benefit, as `burned`.
BURNED, OPEN = "yes", "no"
# What a refused look at a code means (docs/contracts/whitelabel.md 3; the texts are no interface).
REASONS = {404: RejectReason.REWARD_NOT_FOUND, 409: RejectReason.ALREADY_USED}


def look(engine: Engine, ref: str, code: str) -> Voucher:
    """Return the voucher of a code that was typed or scanned, without burning it. Raises Rejected."""
    code = code.strip()
    if not code:
        raise Rejected(RejectReason.REWARD_NOT_FOUND)
    code, benefit = _looked_up(engine, ref, code)
    if catalogue.owner_of(engine, benefit) not in (ref, ""):
        raise Rejected(RejectReason.NOT_ALLOWED, "another member's voucher")
    if not isinstance(benefit.get("id"), str):
        raise UnexpectedAnswer("look_voucher: no benefit id")
    # Rows of a validation may miss the owner; the benefit itself has it.
    whole = {**catalogue.get_benefit(engine, ref, benefit["id"]), "code": {"value": code}}
    if whole.get("burnedAt"):
        raise Rejected(RejectReason.ALREADY_USED)
    return catalogue.describe_voucher(
        engine, {**whole, **_discounts(engine, benefit)}, stores_by_venue(engine)
    )


def _looked_up(engine: Engine, ref: str, code: str) -> tuple[str, Json]:
    """Return the code as the engine has it, and its benefit. The engine compares letter by letter: where it
    knows none, the member's own vouchers and at most three other spellings are tried, as long as it knows
    none."""
    unknown = Rejected(RejectReason.REWARD_NOT_FOUND)
    for spelled in _spellings(engine, ref, code):
        try:
            # Without the member: whose it is, is compared by the caller, and told apart from an unknown code.
            return spelled, _validated(engine, {"code": spelled}, is_look=True)
        except Refused as refused:
            reason = REASONS.get(refused.status, RejectReason.NOT_ALLOWED)
            unknown = refused.rejected(reason)
            if reason is not RejectReason.REWARD_NOT_FOUND:
                raise unknown from refused
    raise unknown


def _spellings(engine: Engine, ref: str, code: str) -> Iterator[str]:
    yield code
    owned = [voucher.code for voucher in catalogue.list_vouchers(engine, ref)]
    alike = [each for each in owned if each and id_key(each) == id_key(code)]
    yield from dict.fromkeys(each for each in (*alike, *other_spellings(code)) if each != code)


def check(engine: Engine, benefit: Json) -> None:
    """Raise Rejected for a benefit that cannot be used any more."""
    if benefit.get("burnedAt"):
        raise Rejected(RejectReason.ALREADY_USED)
    if catalogue.is_expired(engine, benefit, clock.now()):
        raise Rejected(RejectReason.EXPIRED)
    if not catalogue.is_usable(engine, benefit, clock.now()):
        reason = RejectReason.ALREADY_USED if benefit.get("redeemedAt") else RejectReason.NOT_ALLOWED
        raise Rejected(reason)


def redeem(engine: Engine, ref: str, benefit: Json) -> Json:
    """Return the benefit, redeemed. Raises Rejected, and whatever a write raises."""
    if benefit.get("redeemedAt"):
        return benefit
    benefit_id = str(benefit.get("id"))
    try:
        redeemed = engine.send(
            "/commands/redeem_benefit", {"benefitId": benefit_id}, operation="redeem_benefit"
        )
    except Refused as refused:
        # Perhaps she redeemed it in her app a moment ago: what the benefit says now counts.
        fresh = catalogue.get_benefit(engine, ref, benefit_id)
        check(engine, fresh)
        if fresh.get("redeemedAt"):
            return fresh
        raise refused.rejected(RejectReason.NOT_ALLOWED) from refused
    if isinstance(redeemed, dict) and engine.names.text(redeemed, "benefit_code"):
        return redeemed
    try:
        return catalogue.get_benefit(engine, ref, benefit_id)
    except ProviderError as error:
        # Where it has no code, redeeming was its use.
        raise OutcomeUnknown("redeemed, and the benefit cannot be read") from error


def burn(engine: Engine, ref: str, benefit: Json, store: str, shown: Discount | None) -> None:
    """Burn a redeemed benefit. With `shown`, first look whether it still takes off what the page said.
    One without a code was only to be shown: redeeming was its use.

    Raises Rejected (it is not burned by us), OutcomeUnknown, UnexpectedAnswer (it may be burned).
    """
    code = engine.names.text(benefit, "benefit_code")
    if not code:
        return
    body: Json = {"code": code, "userIdentifier": _identifier(engine, ref)}
    if store:
        body["venueIdentifier"] = store
    try:
        if shown is not None:
            looked = _validated(engine, body, is_look=True)
            now = read_discount(engine, {**benefit, **_discounts(engine, looked)}, stores_by_venue(engine))
            if now != shown:
                raise Rejected(RejectReason.PRICE_CHANGED, "the discount differs from what was shown")
        burned = _validated(engine, body, is_look=False)
    except Refused as refused:
        fresh = catalogue.get_benefit(engine, ref, str(benefit.get("id")))
        check(engine, fresh)
        raise refused.rejected(RejectReason.NOT_ALLOWED) from refused
    if not burned.get("burnedAt"):
        # It said yes and does not show it: `find_spend` asks the benefit itself before anything is promised.
        raise OutcomeUnknown("burn_voucher: no sign of it in the answer")


def burn_bought(engine: Engine, ref: str, benefit: Json, store: str) -> str:
    """Redeem and burn what was bought; return whether it is burned now, in the words of a memo."""
    try:
        burn(engine, ref, redeem(engine, ref, benefit), store, None)
    except ProviderError:
        return OPEN
    return BURNED


def see_burned(engine: Engine, spend: Spend) -> None:
    """Burn a bought reward whose burning failed: else its worth could be used again."""
    if spend.kind is not SpendKind.REWARD or spend.memo.get("burned") == BURNED:
        return
    benefit = catalogue.get_benefit(engine, spend.member_ref, spend.provider_ref)
    if benefit.get("burnedAt"):
        return
    redeemed = redeem(engine, spend.member_ref, benefit)
    try:
        burn(engine, spend.member_ref, redeemed, spend.memo.get("store", ""), None)
    except Rejected as error:
        if error.reason is not RejectReason.ALREADY_USED:
            raise


def _validated(engine: Engine, body: Json, *, is_look: bool) -> Json:
    if is_look:
        # Changes nothing that counts, so it may be repeated; the flag is what keeps the voucher whole.
        data = engine.test(
            "/commands/validate_voucher", {**body, "allowFutureValidation": True}, operation="look_voucher"
        )
    else:
        data = engine.send("/commands/validate_voucher", body, operation="burn_voucher")
    if not isinstance(data, dict):
        raise UnexpectedAnswer("validate_voucher: not an object")
    return data


def _discounts(engine: Engine, validated: Json) -> Json:
    found = engine.names.find(validated, "discounts")
    return {"discounts": found} if isinstance(found, list) and found else {}


def _identifier(engine: Engine, ref: str) -> str:
    """Return what names the member to a validation. Assumed: the subject of her app's login where she has
    one, else the vendor's id."""
    return str(get_user(engine, ref).get("authIdentifier") or ref)
