"""A member is erased: her redemptions stay, as somebody's whom nobody knows (`programs.erasure`)."""

from collections.abc import Iterator

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from loyaltyview.programs.erasure import Person
from loyaltyview.redemptions.models import FINAL, Redemption, State

FINISHED = [state.value for state in FINAL]
IN_A_CART = [State.SPENT.value, State.REVEALED.value]


def find(person: Person) -> None:
    """Her redemptions name her orders. Not her profile: theirs is that of the cart's customer."""
    person.order_ids |= set(_hers(person).exclude(order_id="").values_list("order_id", flat=True))


def blockers(person: Person) -> Iterator[str]:
    """What is not at its end still needs to know who she is."""
    rows = _hers(person).exclude(state__in=FINISHED)
    if count := rows.filter(state__in=IN_A_CART).count():
        minutes = (
            settings.CODE_LIFE_MINUTES + settings.EVENT_PROMISE_MINUTES + settings.RELEASE_MARGIN_MINUTES
        )
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
    """Put the pseudonym in her place; what she bought, and what only repeats who she is, goes. Which order
    and which code it was stays: that is the ledger."""
    count = 0
    for row in _hers(person).filter(state__in=FINISHED):
        count += Redemption.objects.filter(pk=row.pk, state__in=FINISHED).update(
            member_ref=person.pseudonym,
            profile_id="",
            cart={**row.cart, "items": []},
            fingerprint="",  # a hash over the ref: whoever guesses it could tell
            refusal_text="",
            last_error="",
        )
    Redemption.objects.filter(program=person.program, profile_id__in=person.profile_ids).update(profile_id="")
    return {"redemptions": count}


def _hers(person: Person) -> QuerySet[Redemption]:
    return Redemption.objects.filter(program=person.program, member_ref=person.ref)
