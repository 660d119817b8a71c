"""What a web cart reserves: a hold of the house program that ends by itself. Used by the calls and by the
worker; the rules of spending are those of the till (`providers.house.spending`)."""

from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from django.db import transaction

from providers import clock
from providers.currencies import decimals_of
from providers.errors import Rejected
from providers.house import spending
from providers.house.api.models import Reservation
from providers.house.api.problems import Problem, problem_of
from providers.house.campaigns import Zone
from providers.house.earning import was_cancelled
from providers.house.ledger import cards_of, lock
from providers.house.models import Hold, HoldState, Member, Reward, Voucher
from providers.retention import delete_in_steps
from providers.sales import Order, SpendIntent, SpendKind
from providers.types import Cart, Discount, DiscountKind, Money

# Distinguishes the shop's keys from those of the tills.
KEY_PREFIX = "web-"


def reserve(
    member: Member,
    currency: str,
    zone: Zone,
    *,
    key: str,
    kind: SpendKind,
    item_id: str,
    points: int,
    lasts: timedelta,
) -> Reservation:
    """Hold the reward, points or voucher for a cart. The same key with the same content returns the
    reservation that exists. Raises Problem."""
    program, now = member.program, clock.now()
    intent = _intent(member, currency, key, kind, item_id, points, now)
    try:
        with transaction.atomic():
            lock(program, member.member_id)
            known = Reservation.objects.filter(program=program, key=key).first()
            if known:
                return _repeated(known, intent)
            hold = spending.spend(program, intent, is_online=True, zone=zone)
            return Reservation.objects.create(
                program=program,
                key=key,
                hold=hold,
                discount=discount_json(_discount_of(hold, currency)),
                created_at=now,
                expires_at=now + lasts,
            )
    except Rejected as rejected:
        # Another member's cart used the key meanwhile.
        if Reservation.objects.filter(program=program, key=key).exists():
            raise Problem("id_used") from rejected
        raise problem_of(rejected) from rejected


def confirm(reservation: Reservation, order_id: str) -> Reservation:
    """The order was placed: take what is reserved for good. What is reserved for an order that was cancelled
    before is given back. May be repeated. Raises Problem."""
    hold = reservation.hold
    spend = spending.describe(hold)
    order = Order(
        order_id=order_id,
        external_id=order_id,
        member_ref=spend.member_ref,
        placed_at=clock.now(),
        earn_base=Money(amount=Decimal(0), currency=""),
    )
    try:
        with transaction.atomic():
            # A cancellation takes this lock, too: it comes before, or finds what is confirmed.
            member = lock(reservation.program, spend.member_ref)
            hold.refresh_from_db()
            is_cancelled = hold.state == HoldState.HELD and was_cancelled(member, order_id)
            if is_cancelled:
                spending.release(reservation.program, spend)
            else:
                spending.capture(reservation.program, spend, order)
            _close(reservation)
    except Rejected as rejected:
        raise Problem("reservation_closed") from rejected
    if is_cancelled:
        raise Problem("reservation_closed")
    hold.refresh_from_db()
    if hold.order_id != order_id:
        raise Problem("reservation_confirmed")
    return reservation


def release(reservation: Reservation) -> Reservation:
    """Give back what is reserved, or what was confirmed: the cart or the order is cancelled. May be
    repeated."""
    with transaction.atomic():
        spending.release(reservation.program, spending.describe(reservation.hold))
        _close(reservation)
    reservation.hold.refresh_from_db()
    return reservation


def release_order(member: Member, order_id: str) -> None:
    """Give back all that the member's web carts confirmed with this order."""
    for reservation in Reservation.objects.select_related("hold__member").filter(
        program=member.program,
        hold__member__in=cards_of(member),
        hold__order_id=order_id,
        hold__state=HoldState.CAPTURED,
    ):
        release(reservation)


def expire_all(program: str, now: datetime) -> int:
    """Give back what is reserved beyond its time; return how many. May be repeated, by several workers."""
    due = Reservation.objects.filter(program=program, closed_at=None, expires_at__lte=now)
    return sum(_expire(pk, now) for pk in due.values_list("pk", flat=True))


def forget_old(before: datetime) -> int:
    """Delete what was closed before that time; the holds stay. Returns how many."""
    return delete_in_steps(Reservation.objects.filter(closed_at__lt=before))


def state_of(reservation: Reservation) -> str:
    """Return reserved, confirmed, released or expired."""
    if reservation.hold.state == HoldState.HELD:
        return "reserved"
    if reservation.hold.state == HoldState.CAPTURED:
        return "confirmed"
    return "expired" if reservation.has_expired else "released"


def _expire(pk: int, now: datetime) -> bool:
    with transaction.atomic():
        reservation = Reservation.objects.select_related("hold__member").get(pk=pk)
        spend = spending.describe(reservation.hold)
        lock(reservation.program, spend.member_ref)
        # Read again under the lock: it may be confirmed at this moment, and `release` would undo that.
        reservation.hold.refresh_from_db()
        if reservation.hold.state != HoldState.HELD:
            return False
        spending.release(reservation.program, spend)
        _close(reservation, has_expired=True)
        return True


def _close(reservation: Reservation, **fields: bool) -> None:
    open_one = Reservation.objects.filter(pk=reservation.pk, closed_at=None)
    open_one.update(closed_at=clock.now(), **fields)


def _repeated(known: Reservation, intent: SpendIntent) -> Reservation:
    hold = known.hold
    same = (intent.kind.value, intent.item_id, intent.points, intent.member_ref)
    ref = hold.member.member_id if hold.member else ""
    if (hold.kind, hold.item_id, hold.points, ref) != same:
        raise Problem("id_used")
    if hold.state == HoldState.RELEASED:
        raise Problem("reservation_closed")
    return known


def _intent(
    member: Member, currency: str, key: str, kind: SpendKind, item_id: str, points: int, now: datetime
) -> SpendIntent:
    """Return the intent of a spend without a till: no coupon carries the discount, the shop gives it."""
    return SpendIntent(
        key=f"{KEY_PREFIX}{key}",
        member_ref=member.member_id,
        kind=kind,
        item_id=item_id,
        points=points,
        discount=Discount(kind=DiscountKind.UNKNOWN),
        cart=Cart(cart_id=key, total=Money(amount=Decimal(0), currency=currency)),
        code="",
        requested_at=now,
    )


def _discount_of(hold: Hold, currency: str) -> Discount:
    """Return the discount that the hold stands for, as it is now."""
    if hold.kind == SpendKind.VOUCHER.value:
        return Voucher.objects.get(program=hold.program, voucher_id=hold.item_id).discount(currency)
    reward = Reward.objects.get(program=hold.program, reward_id=hold.item_id)
    if reward.value_per_point is None:
        return reward.discount(currency)
    unit = Decimal(1).scaleb(-decimals_of(currency))
    amount = (hold.points * reward.value_per_point).quantize(unit, ROUND_DOWN)
    return Discount(kind=DiscountKind.FIXED, amount=Money(amount=amount, currency=currency))


def discount_json(discount: Discount) -> dict[str, object]:
    """Return a discount in the words of the API."""
    return {
        "kind": discount.kind.value,
        "amount": money_json(discount.amount),
        "percent": None if discount.percent is None else format(discount.percent, "f"),
        "skus": list(discount.skus),
        "minimum": money_json(discount.minimum),
    }


def money_json(money: Money | None) -> dict[str, str] | None:
    """Return an amount as text, in major units with the decimals of its currency."""
    if money is None:
        return None
    amount = money.amount.quantize(Decimal(1).scaleb(-decimals_of(money.currency)), ROUND_DOWN)
    return {"amount": format(amount, "f"), "currency": money.currency}
