"""One timeline of a member's points: the vendor's movements joined with our redemptions, orders and returns.

Pure functions; `timeline_reads` reads. A redemption of ours and the vendor's line for it are one line. What
we know and the vendor does not list is a line of its own, such as a voucher or an order that earns nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.translation import gettext as _

from loyaltyview.redemptions.member_records import (
    OwnRedemption,
    OwnReturn,
    OwnSale,
    Records,
    redemption_id_of,
)
from providers.movements import Ending, Movement, MovementKind, redemption_sentence
from providers.types import Money

# A vendor's line that names no order is of the one order that was told to the vendor at about this time.
CLOSE = timedelta(minutes=15)
OF_WHOLE_ORDER = (MovementKind.PURCHASE, MovementKind.CANCELLATION)
SAVING = (Ending.DONE, Ending.HELD, Ending.PARTLY_BACK)


class AmountKind(StrEnum):
    SAVED = "saved"
    PAID = "paid"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. `points` are None where they are not known. `balance` are the points that could be spent
    after it, None where that is not certain. `is_certain`: the live balance contains its points."""

    at: datetime
    text: str
    points: int | None
    store_id: str = ""
    number: str = ""
    amount: Money | None = None
    amount_kind: AmountKind = AmountKind.PAID
    is_certain: bool = True
    balance: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a page begins: at this time, behind the `skip` lines of this very time."""

    at: datetime
    skip: int = 0


def join(movements: Sequence[Movement], records: Records) -> list[Line]:
    """Return the lines, newest first."""
    redemptions = {own.id: own for own in records.redemptions}
    sales = {own.order_id: own for own in records.sales}
    returns = {own.return_id: own for own in records.returns}
    named = _name_sales(_name_returns(movements, records.returns), records.sales)
    lines, seen = [], set()
    for movement in named:
        spend = redemption_id_of(movement.spend_key)
        own = redemptions.get(spend) if spend else None
        back = returns.get(movement.return_id)
        order_id = movement.order_id or (own.order_id if own else "") or (back.order_id if back else "")
        lines.append(_line(movement, own, back, sales.get(order_id)))
        seen |= {("redemption", spend), ("return", movement.return_id)}
        if movement.kind in OF_WHOLE_ORDER:
            seen.add(("sale", movement.order_id))
    lines += [
        _own_redemption(own, sales) for own in records.redemptions if ("redemption", own.id) not in seen
    ]
    # Orders and returns whose points the vendor lists, or will list, have no second line.
    lines += [
        _own_sale(own)
        for own in records.sales
        if ("sale", own.order_id) not in seen and (own.is_open or own.earns_nothing)
    ]
    lines += [
        _own_return(own, sales)
        for own in records.returns
        if ("return", own.return_id) not in seen and (own.is_open or own.takes_nothing)
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def with_balances(lines: Iterable[Line], points_after: int | None) -> list[Line]:
    """Return the lines, newest first, with the balance after each. It begins with `points_after` and ends
    before the first line that is not certain."""
    told, balance = [], points_after
    for line in lines:
        if not line.is_certain:
            balance = None
        told.append(replace(line, balance=balance))
        if balance is not None:
            balance -= line.points or 0
    return told


def behind(lines: Iterable[Line], cursor: Cursor | None) -> list[Line]:
    """Return the lines, newest first, that come after the page before."""
    if cursor is None:
        return list(lines)
    older = [line for line in lines if line.at <= cursor.at]
    same = sum(line.at == cursor.at for line in older)
    return older[min(cursor.skip, same) :]


def next_cursor(lines: Sequence[Line], cursor: Cursor | None) -> Cursor:
    """Return where the page after these lines begins; `cursor` is where they began."""
    last = lines[-1].at
    skip = sum(line.at == last for line in lines)
    return Cursor(at=last, skip=skip + (cursor.skip if cursor and cursor.at == last else 0))


def _name_sales(movements: Sequence[Movement], sales: Iterable[OwnSale]) -> list[Movement]:
    told = {own.order_id: own.told_at for own in sales if own.told_at}
    listed = {movement.order_id for movement in movements if movement.kind is MovementKind.PURCHASE}
    free = {order_id: at for order_id, at in told.items() if order_id not in listed}
    unnamed = [
        number
        for number, movement in enumerate(movements)
        if movement.kind is MovementKind.PURCHASE and not movement.order_id
    ]
    named = list(movements)
    for number, order_id in _pairs(movements, unnamed, free).items():
        named[number] = replace(movements[number], order_id=order_id)
    return named


def _name_returns(movements: Sequence[Movement], returns: Iterable[OwnReturn]) -> list[Movement]:
    listed = {movement.return_id for movement in movements}
    free = {own.return_id: own for own in returns if own.told_at and own.return_id not in listed}
    named = list(movements)
    unnamed: dict[str, list[int]] = {}
    for number, movement in enumerate(movements):
        if movement.kind is MovementKind.RETURN and not movement.return_id:
            unnamed.setdefault(movement.order_id, []).append(number)
    for order_id, numbers in unnamed.items():
        some = {
            key: own.told_at for key, own in free.items() if own.told_at and order_id in ("", own.order_id)
        }
        for number, return_id in _pairs(movements, numbers, some).items():
            named[number] = replace(movements[number], return_id=return_id)
    return named


def _pairs(
    movements: Sequence[Movement], numbers: Iterable[int], told: Mapping[str, datetime]
) -> dict[int, str]:
    """Return which movement is of which record: the only one near its time, and the other way round. Where
    several are near, none is named."""
    near = {
        number: [key for key, at in told.items() if abs(at - movements[number].at) <= CLOSE]
        for number in numbers
    }
    return {
        number: keys[0]
        for number, keys in near.items()
        if len(keys) == 1 and sum(keys[0] in others for others in near.values()) == 1
    }


def isolated(name: str) -> str:
    """Return `name` for a sentence in any direction: "$5 off" in an Arabic sentence keeps its order."""
    return f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}"


def _line(
    movement: Movement, own: OwnRedemption | None, back: OwnReturn | None, sale: OwnSale | None
) -> Line:
    title = own.title if own else movement.title
    if title and (movement.pending or movement.kind is MovementKind.REDEMPTION):
        movement = replace(movement, title=isolated(title))
    line = Line(
        at=movement.at,
        # The number stands beside the sentence.
        text=replace(movement, number="").text,
        points=movement.points if movement.has_points and not movement.pending else None,
        number=(sale.number if sale else "") or movement.number,
        is_certain=movement.has_points,
    )
    if own:
        return _with_saving(line, own, movement.ending)
    if back:
        return _with_refund(line, back)
    if sale:
        line = replace(line, store_id=sale.store_id)
        return _with_total(line, sale) if movement.kind in OF_WHOLE_ORDER else line
    return line


def _own_redemption(own: OwnRedemption, sales: Mapping[str, OwnSale]) -> Line:
    sale, is_back = sales.get(own.order_id), own.ending is Ending.BACK
    line = Line(
        at=own.at,
        text=redemption_sentence(isolated(own.title), own.ending),
        points=0 if is_back else -own.points,
        number=sale.number if sale else "",
        is_certain=is_back or not own.points,
    )
    return _with_saving(line, own, own.ending)


def _own_sale(own: OwnSale) -> Line:
    open_text = _("Purchase, its points come when the order is completed")
    final_text = _("Purchase cancelled") if own.is_cancelled else _("Purchase without points")
    line = Line(
        at=own.at,
        text=open_text if own.is_open else final_text,
        points=None if own.is_open else 0,
        number=own.number,
    )
    return _with_total(line, own)


def _own_return(own: OwnReturn, sales: Mapping[str, OwnSale]) -> Line:
    sale = sales.get(own.order_id)
    open_text = _("Return, its points are not decided yet")
    line = Line(
        at=own.at,
        text=open_text if own.is_open else _("Return, no points were taken back"),
        points=None if own.is_open else 0,
        number=sale.number if sale else "",
    )
    return _with_refund(line, own)


def _with_saving(line: Line, own: OwnRedemption, ending: Ending) -> Line:
    is_saved = ending in SAVING and own.saving.amount > 0
    amount = own.saving if is_saved else None
    return replace(line, store_id=own.store_id, amount=amount, amount_kind=AmountKind.SAVED)


def _with_refund(line: Line, own: OwnReturn) -> Line:
    amount = own.refund if own.refund.amount > 0 else None
    return replace(line, store_id=own.store_id, amount=amount, amount_kind=AmountKind.REFUNDED)


def _with_total(line: Line, own: OwnSale) -> Line:
    return replace(line, store_id=own.store_id, amount=own.total if own.total.amount > 0 else None)
