"""A voucher is looked up by a code that was typed or scanned. Looking uses nothing.

Source: docs/contracts/whitelabel.md 2.5. The engine compares letter by letter. A STATIC code is the same for
everybody, so the engine may answer with another member's benefit, or not know the code at all: then the
member's own benefit with that code counts.
"""

from providers.errors import Rejected, RejectReason, UnexpectedAnswer
from providers.texts import code_spellings, id_key
from providers.types import Voucher
from providers.whitelabel.client import Client, Json, Refused
from providers.whitelabel.venues import stores_by_venue
from providers.whitelabel.vouchers import (
    check_unused,
    describe_voucher,
    discounts_in,
    get_benefit,
    is_counted_here,
    owner_of,
    reward_in,
    usable_benefits,
    validated,
)
from providers.whitelabel.worth import is_gift_card

# What a refused look at a code means (docs/contracts/whitelabel.md 3; the texts are no interface).
REASONS = {404: RejectReason.REWARD_NOT_FOUND, 409: RejectReason.ALREADY_USED}


def look(client: Client, ref: str, code: str) -> Voucher:
    """Return the voucher of a code, without burning it. Raises Rejected."""
    code = code.strip()
    if not code:
        raise Rejected(RejectReason.REWARD_NOT_FOUND)
    try:
        code, benefit = _looked_up(client, ref, code)
    except Rejected:
        if own := _own_shared(client, ref, code):
            return own
        raise
    if owner_of(client, benefit) not in (ref, ""):
        if own := _own_shared(client, ref, code, reward_in(benefit).get("id")):
            return own
        raise Rejected(RejectReason.NOT_ALLOWED, "another member's voucher")
    if not isinstance(benefit.get("id"), str):
        raise UnexpectedAnswer("look_voucher: no benefit id")
    # Rows of a validation may miss the owner; the benefit itself has it.
    whole = {**get_benefit(client, ref, benefit["id"]), "code": {"value": code}}
    if not is_gift_card(whole):  # which is only shown
        check_unused(client, ref, whole)
    return describe_voucher(client, {**whole, **discounts_in(client, benefit)}, stores_by_venue(client))


def _looked_up(client: Client, ref: str, code: str) -> tuple[str, Json]:
    """Return the code as the engine has it, and its benefit. Where the engine knows none, the member's own
    vouchers and at most four other spellings are tried, as long as it knows none."""
    unknown = Rejected(RejectReason.REWARD_NOT_FOUND)
    for spelled in code_spellings(code, lambda: _own_codes(client, ref)):
        try:
            # Without the member: whose it is, is compared by the caller, and told apart from an unknown code.
            return spelled, validated(client, {"code": spelled}, is_look=True)
        except Refused as refused:
            reason = REASONS.get(refused.status, RejectReason.NOT_ALLOWED)
            unknown = refused.rejected(reason)
            if reason is not RejectReason.REWARD_NOT_FOUND:
                raise unknown from refused
    raise unknown


def _own_codes(client: Client, ref: str) -> list[str]:
    return [client.names.text(benefit, "benefit_code") for benefit in usable_benefits(client, ref)]


def _own_shared(client: Client, ref: str, code: str, reward_id: object = None) -> Voucher | None:
    """Return the member's own voucher whose code is the same for everybody, by its code or its reward."""
    typed = id_key(code)
    for benefit in usable_benefits(client, ref):
        # A voucher without a code has none in common with dashes alone.
        is_same_code = bool(typed) and id_key(client.names.text(benefit, "shared_code")) == typed
        is_same_reward = reward_id is not None and reward_in(benefit).get("id") == reward_id
        if is_counted_here(benefit) and (is_same_code or is_same_reward):
            return describe_voucher(client, benefit, stores_by_venue(client))
    return None
