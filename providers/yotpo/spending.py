"""Spending: one redemption at Yotpo for each key, and finding it again when its answer was lost.

Yotpo takes no idempotency key. The row that is committed before the call says that it may have happened, and
which codes the member's history shows until then. What came of it is read from the history, too, where a
redemption's `status` is its code: a code that is new, unclaimed and of our option is ours. No time of Yotpo's
is compared with ours.
Sources: loyaltyapi.yotpo.com/reference/create-redemption, support.yotpo.com/docs/delayed-point-deduction.
"""

from datetime import timedelta
from typing import Any

from providers import clock, types
from providers.answers import text_of
from providers.errors import (
    AuthFailed,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RejectReason,
    Unavailable,
    UnexpectedAnswer,
)
from providers.outbound import sharing
from providers.outbound.exchange import Answer
from providers.types import Finding, SpendFinding, SpendIntent, SpendKind
from providers.yotpo import store
from providers.yotpo.client import Client, is_ok
from providers.yotpo.codes import code_data
from providers.yotpo.customers import HistoryItem, fetch_by_ref, history_of
from providers.yotpo.models import Spend, SpendState
from providers.yotpo.refs import identity_of
from providers.yotpo.rewards import Option, option_of

# No write is under way any more after this long: our call ends after 10 s, the server's after a minute at
# most, and the history is up to date. What is not in it then never happened. Counted on our clock alone.
SETTLED_AFTER = timedelta(minutes=3)
SEEN_S = 10.0  # how old the history may be that is kept as what was there before


def spend(client: Client, intent: SpendIntent) -> types.Spend:
    """Redeem once for `intent.key`. Generic options are held until the order where that is possible;
    everything else takes its points at once."""
    if intent.kind is SpendKind.VOUCHER:
        raise Rejected(RejectReason.NOT_ALLOWED, "Yotpo lists no unused codes")
    identity = identity_of(client.program, intent.member_ref)
    option = option_of(client, intent.item_id)
    row, is_new = store.begin(
        client.program, intent, is_custom=option.is_custom, is_delayed=_delays(client, option, intent)
    )
    if not is_new:
        return _repeated(row)
    if not row.is_delayed:
        _note_before(client, row)
    body: dict[str, Any] = {
        "redemption_option_id": int(intent.item_id) if intent.item_id.isdecimal() else intent.item_id,
        **identity,
        "currency": client.currency,
    }
    if intent.kind is SpendKind.POINTS:
        body["points_to_redeem"] = intent.points
    if row.is_delayed:
        body[client.settings.assumed["delay_field"]] = True
    try:
        answer = client.post("/redemptions", operation="spend", body=body)
        code, redemption_id = _read(client, answer, row)
    except (Rejected, Unavailable, AuthFailed):
        store.move(row, SpendState.VOID, allowed=(SpendState.ASKED,))
        raise
    return store.describe(_spent(row, code, redemption_id))


def find(client: Client, intent: SpendIntent) -> SpendFinding:
    """Say what became of `intent`. DID_NOT is final: the key is closed."""
    row = store.find_or_void(client.program, intent)
    if row.state == SpendState.ASKED and row.is_delayed:
        # Points go with an order that carries the code. Nobody knows the code, so nobody can send it: that
        # nothing is spent is certain, however late the redemption arrives.
        store.move(row, SpendState.VOID, allowed=(SpendState.ASKED,))
    elif row.state == SpendState.ASKED and row.codes_before is None:
        store.close_unsent(row)
    elif row.state == SpendState.ASKED:
        _look_for(client, row)
    if row.state in store.STANDING:
        return SpendFinding(finding=Finding.HAPPENED, spend=store.describe(row))
    if row.state == SpendState.ASKED:
        return SpendFinding(finding=Finding.CANNOT_TELL)
    return SpendFinding(finding=Finding.DID_NOT)


def _delays(client: Client, option: Option, intent: SpendIntent) -> bool:
    """Return whether the points go with the order. A second delayed redemption of one customer would cancel
    her first, so while one waits the next is taken at once."""
    if not (client.settings.delays_deduction and option.can_delay):
        return False
    return not store.held_points(client.program, intent.member_ref)


def _note_before(client: Client, row: Spend) -> None:
    """Keep what the history shows before the redemption, as the page has read it some seconds ago. Raises
    Rejected, Unavailable, AuthFailed: nothing is sent, and nothing will be under this key."""
    try:
        with sharing.sharing(client.program, row.member_ref, max_age_s=SEEN_S):
            record = fetch_by_ref(client, row.member_ref, with_history=True)
    except ProviderError:
        store.close_unsent(row)
        raise
    if not store.note_before(row, (item.code for item in history_of(record) if item.code)):
        raise Rejected(RejectReason.NOT_ALLOWED, f"the key is {row.state}")


def _read(client: Client, answer: Answer, row: Spend) -> tuple[str, str]:
    """Return code and redemption id; raise Rejected where Yotpo refused, in whatever shape."""
    if not is_ok(answer):
        raise client.refusal(answer)
    data = answer.json()
    code = text_of(data, "reward_text", "code") if isinstance(data, dict) else ""
    if code and (row.is_delayed or data.get("approved") is not False):
        return code, text_of(data, "id")
    if not code and isinstance(data, dict) and data and "id" not in data:
        raise client.refusal(answer)  # a refusal that came as 200
    raise UnexpectedAnswer("spend: neither a code nor a refusal")


def _spent(row: Spend, code: str, redemption_id: str) -> Spend:
    to = SpendState.HELD if row.is_delayed else SpendState.TAKEN
    if not store.move(row, to, allowed=(SpendState.ASKED,), code=code, redemption_id=redemption_id):
        # While we waited somebody gave up on this key. Whoever asks `find` hears how it ended.
        raise OutcomeUnknown(f"the key is {row.state}")
    return row


def _repeated(row: Spend) -> types.Spend:
    if row.state in store.STANDING:
        return store.describe(row)
    if row.state == SpendState.ASKED:
        raise OutcomeUnknown("the key was asked for before")
    raise Rejected(RejectReason.NOT_ALLOWED, f"the key is {row.state}")


def _look_for(client: Client, row: Spend) -> None:
    """Find the redemption in the history and move `row` on, or give it up when it never came. Several new
    ones are left to a person: the shopper took the same elsewhere at the same moment."""
    # Judged before the history is read: what arrives in between shows in it.
    is_settled = clock.now() > row.asked_at + SETTLED_AFTER
    record = fetch_by_ref(client, row.member_ref, with_history=True)
    found = dict.fromkeys(item.code for item in history_of(record) if _may_be(row, item))
    codes = [code for code in found if not store.is_claimed(client.program, code)]
    mine = [(code, data) for code in codes if _is_of_option(client, row, data := code_data(client, code))]
    if len(mine) == 1 and row.codes_before is not False:
        code, data = mine[0]
        store.take_code(row, code, text_of(data, client.settings.assumed["redemption_id_key"]))
    elif not mine and is_settled:
        store.move(row, SpendState.VOID, allowed=(SpendState.ASKED,))


def _may_be(row: Spend, item: HistoryItem) -> bool:
    return bool(item.code) and item.points == -row.points and item.code not in (row.codes_before or [])


def _is_of_option(client: Client, row: Spend, data: dict[str, Any]) -> bool:
    """Two options may cost the same; where Yotpo says which one a code is of, it must be ours."""
    option_id = text_of(data, client.settings.assumed["option_id_key"])
    return not option_id or option_id == row.option_id
