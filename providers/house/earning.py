"""Points for orders, returns and cancellations, in any order of arrival.

Each writes one entry per order or return id, even of 0 points, and finds it again when it is repeated.
Returns take back in proportion to the money: after each, the points taken in sum are floor(earned * money
returned so far / money of the order). Each money counts times the factor that its product had in the order.
So rounding never adds up, and a full return takes exactly the earned points. Points of the order that have
expired are already taken. Points that are on hold or spent cannot be taken: the entry keeps them as
`shortfall`, which `owed` takes when they come back.
"""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum

from providers.errors import Rejected, RejectReason
from providers.house import kept
from providers.house.campaigns import Zone
from providers.house.expiry import expired_points, expiry_of
from providers.house.ledger import cards_of, lock, post, posted
from providers.house.members import kept_tiers, tiers_at
from providers.house.models import Entry, EntryKind, Member
from providers.house.multipliers import (
    Earned,
    Purchase,
    Terms,
    earned_by,
    of_order,
    read_terms,
    weigh,
    zone_of,
)
from providers.house.referral import note_order, note_order_is_back, settle
from providers.sales import Order, Return
from providers.types import Money

TAKEN_BACK = (EntryKind.RETURN, EntryKind.CANCEL)


def preview(member: Member, purchase: Purchase, time_zone: str = "") -> Earned:
    """Return what `purchase` earns for `member`."""
    return _earned(member, purchase, time_zone)[0]


def _earned(member: Member, purchase: Purchase, time_zone: str) -> tuple[Earned, Terms]:
    program, day = member.program, purchase.at.astimezone(zone_of(time_zone)).date()
    terms = kept.of_program(program, "terms", lambda: read_terms(program, day), day=day)
    tier, _next = tiers_at(kept_tiers(program), member.lifetime_points)
    return earned_by(member, tier, purchase, terms), terms


def record_order(program: str, currency: str, order: Order, time_zone: str = "") -> Entry:
    """Earn once per order. If it was cancelled or partly returned before we record it, only what is left
    is earned. Days and months count in `time_zone`, "" for UTC. A referral that waited for the order is
    rewarded."""
    _check_currency(currency, order.earn_base)
    is_referred = False
    with transaction.atomic():
        member = lock(program, order.member_ref)
        known = earned_with(program, order.order_id) or _earned_elsewhere(member, order)
        if known:
            return known
        gain, terms = _earned(member, of_order(order), time_zone)
        expires_at = expiry_of(order.placed_at, terms, time_zone)
        earned = post(
            member,
            EntryKind.EARN,
            gain.points,
            reference=earn_reference(order.order_id),
            tier_points=gain.points,
            order_id=order.order_id,
            amount=order.earn_base.amount,
            expires_at=expires_at,
            inactivity_months=terms.inactivity_months,
            by_product=gain.by_product,
            note=order.external_id,
        )
        before = set(_lines_of(earned).filter(kind__in=TAKEN_BACK).values_list("kind", flat=True))
        if EntryKind.CANCEL in before:
            _take_back(member, earned, gain.points, EntryKind.CANCEL, f"late-cancel:{order.order_id}")
        else:
            due = _due_after_returns(earned, []) if before else 0
            if due:
                _take_back(member, earned, due, EntryKind.RETURN, f"late-return:{order.order_id}")
            is_back = due >= earned.points if earned.points else _is_back(earned, Decimal(0))
            if not (before and is_back):
                is_referred = note_order(member, order.order_id, order.earn_base.amount)
    if is_referred:
        settle(program, Zone(time_zone=time_zone), order.order_id)
    return earned


def record_return(program: str, currency: str, ret: Return) -> Entry:
    """Take back once per return the points that its money earned. Before the order is known nothing is taken,
    and the order will earn less. An order that a web shop reported is found by the id that it has there."""
    _check_currency(currency, ret.net)
    if ret.net.amount < 0:
        raise Rejected(RejectReason.INVALID_INPUT, "a return of less than nothing")
    reference, order_id = f"return:{ret.return_id}", ret.reported_as or ret.order_id
    with transaction.atomic():
        member, earned = _lock_earner(program, ret.member_ref, order_id)
        known = posted(program, reference)
        if known:
            return known
        # Before the order is known, nobody can say whether its products had different factors.
        parts = _money_by_product(ret) if earned is None or earned.by_product else None
        due = _due_after_returns(earned, [(ret.net.amount, parts)]) if earned else 0
        if earned and ret.is_complete:
            due = earned.points
        if earned and (ret.is_complete or _is_back(earned, ret.net.amount)):
            note_order_is_back(program, earned.order_id)
        return _take_back(
            member,
            earned,
            due,
            EntryKind.RETURN,
            reference,
            order_id=order_id,
            net=ret.net.amount,
            by_product=parts,
        )


def cancel_order(program: str, order: Order) -> Entry:
    """Take back all points that are left of the order. An order that is not known yet will earn nothing."""
    with transaction.atomic():
        member, earned = _lock_earner(program, order.member_ref, order.order_id)
        known = posted(program, cancel_reference(order.order_id))
        if known:
            return known
        note_order_is_back(program, earned.order_id if earned else order.order_id)
        return _take_back(
            member,
            earned,
            earned.points if earned else 0,
            EntryKind.CANCEL,
            cancel_reference(order.order_id),
            order_id=order.order_id,
        )


def earn_reference(order_id: str) -> str:
    return f"earn:{order_id}"


def cancel_reference(order_id: str) -> str:
    return f"cancel:{order_id}"


def was_cancelled(member: Member, order_id: str) -> bool:
    """Return whether a cancellation of this member's order is in the ledger."""
    lines = Entry.objects.filter(program=member.program, reference=cancel_reference(order_id))
    return lines.filter(member__in=cards_of(member)).exists()


def _check_currency(currency: str, money: Money) -> None:
    if money.currency != currency:
        raise Rejected(RejectReason.INVALID_INPUT, f"the program earns in {currency}, not {money.currency}")


def earned_with(program: str, order_id: str) -> Entry | None:
    """Return the entry with which the order earned. An order that another system reported before, under its
    own id, has an entry of 0 points that names that id."""
    entry = posted(program, earn_reference(order_id))
    if entry is None or entry.order_id == order_id:
        return entry
    return posted(program, earn_reference(entry.order_id))


def _earned_elsewhere(member: Member, order: Order) -> Entry | None:
    """Return the entry of the same purchase, reported by NewStore and by the web shop: the id of one is the
    number of the other. Later calls find it by either id."""
    same = _earnings(member, Q(reference=earn_reference(order.external_id)) | Q(note=order.order_id)).first()
    if same:
        reference, note = earn_reference(order.order_id), order.external_id
        post(member, EntryKind.EARN, 0, reference=reference, order_id=same.order_id, note=note)
    return same


def taken_at_once(program: str, order_id: str) -> int:
    """Return the points, 0 or negative, that the order lost when it was recorded: it was cancelled or partly
    returned before."""
    references = [f"late-cancel:{order_id}", f"late-return:{order_id}"]
    taken = Entry.objects.filter(program=program, reference__in=references)
    points: int = taken.aggregate(sum=Sum("points"))["sum"] or 0
    return points


def _earnings(member: Member, which: Q) -> QuerySet[Entry]:
    return Entry.objects.filter(which, member__in=cards_of(member), kind=EntryKind.EARN, amount__isnull=False)


def _lock_earner(program: str, ref: str, order_id: str) -> tuple[Member, Entry | None]:
    """Lock the member who earned with the order, else the member named; return them and the earn entry. A web
    shop may report what came back of an order that only NewStore reported."""
    earned = earned_with(program, order_id)
    member = lock(program, earned.member.member_id if earned else ref)
    # Looked for again: the order may have been recorded while we waited for the lock.
    return member, earned_with(program, order_id) or _earnings(member, Q(note=order_id)).first()


def _lines_of(earned: Entry) -> QuerySet[Entry]:
    """Return the lines of the order: also those that came before it, under its number in the web shop."""
    # Two ids, unsorted, and then whose they are: only so does SQLite read these lines and no others.
    ids = {earned.order_id, earned.note or earned.order_id}
    lines = Entry.objects.filter(program=earned.program, order_id__in=ids)
    return lines.filter(Q(order_id=earned.order_id) | Q(member__in=cards_of(earned.member))).order_by()


# The money of a return, and its shares by product, where they are kept.
Part = tuple[Decimal, dict[str, str] | None]


def _money_by_product(ret: Return) -> dict[str, str] | None:
    money: dict[str, Decimal] = {}
    for line in ret.lines:
        money[line.product_id] = money.get(line.product_id, Decimal(0)) + line.net
    return {product: str(net) for product, net in money.items()} or None


def _due_after_returns(earned: Entry, more: list[Part]) -> int:
    """Return the points that must be taken in sum once `more` parts of the order have come back."""
    returns = _lines_of(earned).filter(kind=EntryKind.RETURN)
    known = returns.values_list("amount", "by_product")
    parts = [*((amount or Decimal(0), shares) for amount, shares in known), *more]
    base = earned.amount or Decimal(0)
    if sum((amount for amount, _shares in parts), Decimal(0)) >= base:
        return earned.points
    kept = earned.by_product or {"base": base, "factors": {}}
    weighted = Decimal(kept["base"])
    factors = {product: Decimal(factor) for product, factor in kept["factors"].items()}
    average = weighted / base
    # In proportion to the whole order, where a return names no product of it.
    returned = sum(
        (
            weigh(
                amount,
                ((product, Decimal(money)) for product, money in (shares or {}).items()),
                lambda product: factors.get(product, average),
                average,
            )
            for amount, shares in parts
        ),
        Decimal(0),
    )
    return min(earned.points, int(earned.points * returned / weighted)) if weighted else 0


def _returned(earned: Entry) -> Decimal:
    """Return the money of the order that has come back."""
    returns = _lines_of(earned).filter(kind=EntryKind.RETURN)
    return returns.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def _is_back(earned: Entry, net: Decimal) -> bool:
    """Return whether the whole order is back, once `net` more money of it has come back."""
    returned = _returned(earned) + net
    return returned > 0 and returned >= (earned.amount or Decimal(0))


def _take_back(
    member: Member,
    earned: Entry | None,
    due: int,
    kind: EntryKind,
    reference: str,
    *,
    order_id: str = "",
    net: Decimal | None = None,
    by_product: dict[str, Any] | None = None,
) -> Entry:
    """Post an entry so that `due` points of the order are taken in sum, as far as they are spendable. The
    tier falls by expired points, too: it counts purchases."""
    order_id = earned.order_id if earned else order_id
    lines = Entry.objects.filter(program=member.program, order_id=order_id, kind__in=TAKEN_BACK)
    sums = lines.aggregate(gone=Sum(F("shortfall") - F("points")), tier=Sum("tier_points"))
    expired = expired_points(earned) if earned else 0
    wanted = max(0, due - expired - (sums["gone"] or 0))
    taken = min(wanted, member.spendable)
    return post(
        member,
        kind,
        -taken,
        reference=reference,
        tier_points=-max(0, due + (sums["tier"] or 0)),
        shortfall=wanted - taken,
        order_id=order_id,
        amount=net,
        by_product=by_product,
        note=earned.note if earned else "",
    )
