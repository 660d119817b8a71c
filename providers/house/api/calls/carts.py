"""Calls that spend: reserve for a cart, confirm with the order, release."""

from datetime import timedelta

from django.http import HttpRequest
from ninja import Router

from providers.house.api import reservations
from providers.house.api.calls.answers import ReservationOut, reservation_of
from providers.house.api.calls.bodies import ConfirmationIn, ReservationIn
from providers.house.api.calls.fields import ReservationId
from providers.house.api.calls.scoped import caller_of, member_of, scoped
from providers.house.api.models import Reservation, Scope
from providers.house.api.problems import Problem
from providers.sales import SpendKind

router = Router(tags=["reservations"])


@router.post(
    "/reservations", response=ReservationOut, summary="Reserve for a cart", **scoped(Scope.POINTS_SPEND)
)
def reserve(request: HttpRequest, body: ReservationIn) -> ReservationOut:
    """Reserve a reward, points as money or a voucher until `expires_at`. `key` is yours, one for each thing
    in a cart: a repeat returns the same reservation and takes nothing more."""
    row = reservations.reserve(
        member_of(request, body.member),
        caller_of(request).currency,
        caller_of(request).zone,
        key=body.key,
        kind=SpendKind(body.kind),
        item_id=body.item_id,
        points=body.points,
        lasts=timedelta(minutes=body.minutes),
    )
    return reservation_of(row)


@router.get(
    "/reservations/{reservation}",
    response=ReservationOut,
    summary="Read a reservation",
    **scoped(Scope.POINTS_SPEND),
)
def read_reservation(request: HttpRequest, reservation: ReservationId) -> ReservationOut:
    """Read a reservation, such as after a call whose answer was lost."""
    return reservation_of(_row(request, reservation))


@router.post(
    "/reservations/{reservation}/confirm",
    response=ReservationOut,
    summary="Confirm with the order",
    **scoped(Scope.POINTS_SPEND),
)
def confirm(request: HttpRequest, reservation: ReservationId, body: ConfirmationIn) -> ReservationOut:
    """The order was placed: what is reserved is spent. A reservation that has expired is refused: then the
    order must not give the discount."""
    return reservation_of(reservations.confirm(_row(request, reservation), body.order_id))


@router.post(
    "/reservations/{reservation}/release",
    response=ReservationOut,
    summary="Release",
    **scoped(Scope.POINTS_SPEND),
)
def release(request: HttpRequest, reservation: ReservationId) -> ReservationOut:
    """Give back what is reserved, or what was confirmed and is not used after all."""
    return reservation_of(reservations.release(_row(request, reservation)))


def _row(request: HttpRequest, reservation: str) -> Reservation:
    rows = Reservation.objects.select_related("hold__member")
    row = rows.filter(program=caller_of(request).program, pk=int(reservation.removeprefix("res_"))).first()
    if row is None:
        raise Problem("reservation_not_found")
    return row
