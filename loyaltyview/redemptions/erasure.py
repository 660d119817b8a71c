"""Erasing a member: the redemptions are kept under a pseudonym (`programs.erasure`)."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from loyaltyview.programs.erasure import Person
from loyaltyview.redemptions.models import FINAL, Redemption, State
from loyaltyview.redemptions.transitions import longest_unused

FINISHED = [state.value for state in FINAL]
IN_A_CART = [State.SPENT.value, State.REVEALED.value]


def find(person: Person) -> None:
    """Add the orders of the member's redemptions. Their profile is not added: it is the cart's customer's."""
    person.order_ids |= set(_rows_of(person).exclude(order_id="").values_list("order_id", flat=True))


def blockers(person: Person) -> Iterator[str]:
    """Yield why the member cannot be erased yet: a redemption that has not ended needs the member's name."""
    rows = _rows_of(person).exclude(state__in=FINISHED)
    if count := rows.filter(state__in=IN_A_CART).count():
        minutes = longest_unused() // timedelta(minutes=1)
        text = _(
            "Redemptions that are in a cart: %(count)d. Undo them in the app, or wait: what no order carries "
            "is given back after %(minutes)d minutes."
        )
        yield text % {"count": count, "minutes": minutes}
    if count := rows.filter(state=State.STUCK).count():
        yield _("Redemptions that need a person: %(count)d. Resolve them first.") % {"count": count}
    if count := rows.exclude(state__in=[*IN_A_CART, State.STUCK.value]).count():
        yield _("Redemptions that are under way: %(count)d. Wait for the worker.") % {"count": count}


def erase(person: Person) -> dict[str, int]:
    """Replace the member's ref with the pseudonym, and delete the cart's items and all that repeats who the
    member is. Order and code stay: they are the ledger."""
    count = 0
    for row in _rows_of(person).filter(state__in=FINISHED):
        count += Redemption.objects.filter(pk=row.pk, state__in=FINISHED).update(
            member_ref=person.pseudonym,
            profile_id="",
            cart={**row.cart, "items": []},
            fingerprint="",  # a hash over the ref, which would confirm a guess
            refusal_text="",
            last_error="",
        )
    Redemption.objects.filter(program=person.program, profile_id__in=person.profile_ids).update(profile_id="")
    return {"redemptions": count}


def _rows_of(person: Person) -> QuerySet[Redemption]:
    return Redemption.objects.filter(program=person.program, member_ref=person.ref)
