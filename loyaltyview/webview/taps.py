"""What the forms of the member page say when the associate applies one reward, or several at once."""

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import sha256

from django.http import QueryDict

from loyaltyview.newstore.deeplink import MOST_CODES
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.search_input import read_code
from providers.sales import SpendKind
from providers.texts import shown

KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
POINTS = re.compile(r"[0-9]{1,10}")
COST = re.compile(r"[0-9]{0,10}")
SAVING = re.compile(r"([0-9]{1,10}(\.[0-9]{1,4})?)?")
MOST_POINTS = 2_000_000_000
LONGEST_ID = LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """What a card's form says. `points` is 0 except for points as money. `code` was typed to find a voucher,
    "" for one from the list. `cost` in points and `saving` in money are what the card showed, None where a
    form does not say. `title` is shown where nothing better is known. `unit` is the product that was chosen
    to be free, "" for none. `pin` is what the customer typed."""

    kind: SpendKind
    item_id: str
    key: str
    points: int
    code: str = ""
    cost: int | None = None
    saving: Decimal | None = None
    title: str = ""
    unit: str = ""
    pin: str = field(default="", repr=False, compare=False)


def read_tap(form: QueryDict) -> Tap:
    """Return what a card's form says. Raises Problem for a form that is not ours."""
    return _tap(
        key=form.get("key", ""),
        kind=form.get("kind", ""),
        item_id=form.get("item", ""),
        points=form.get("points", "0"),
        code=form.get("code", ""),
        cost=form.get("cost", ""),
        saving=form.get("saving", ""),
        unit=form.get("unit", ""),
    )


def read_taps(form: QueryDict) -> tuple[Tap, ...]:
    """Return the chosen items. Points as money come last: they fill what the others leave of the cart.

    A box says "kind:item". Beside it stand "title:item", and where it needs them "cost:item", "saving:item",
    "points:item", "code:item" and "unit:item". The saving counts for the first only: it changes that of the
    others, which `may_be_cut` watches.
    Each item has a key of its own, made from the form's. Raises Problem for a form that is not ours.
    """
    key, picks = form.get("key", ""), dict.fromkeys(form.getlist("chosen"))
    if not KEY.fullmatch(key):
        raise Problem(Refusal.BAD_REQUEST)
    if not picks:
        raise Problem(Refusal.NOTHING_CHOSEN)
    if len(picks) > MOST_CODES:
        raise Problem(Refusal.CART_FULL, status=422)
    taps = [_picked(form, key, pick) for pick in picks]
    first, *others = sorted(taps, key=lambda tap: tap.kind is SpendKind.POINTS)
    return (first, *(replace(tap, saving=None) for tap in others))


def key_of(key: str, kind: str, item_id: str) -> str:
    """Return the key of one item in the form with `key`: the same for the same form, 64 characters."""
    return sha256(f"{key}|{kind}|{item_id}".encode()).hexdigest()


def points_in(form: QueryDict, pick: str) -> int:
    """Return how many points the stepper of `pick` says, 0 for none."""
    text = _points_text(form, pick)
    return int(text) if POINTS.fullmatch(text) else 0


def unit_in(form: QueryDict, pick: str) -> str:
    """Return which product is chosen to be free, "" for none."""
    return _last(form, f"unit:{pick}")


def _points_text(form: QueryDict, pick: str) -> str:
    return _last(form, f"points:{pick}") or "0"


def _last(form: QueryDict, name: str) -> str:
    # Two fields: the one that a script fills comes last and is empty without one.
    return next(filter(None, reversed(form.getlist(name))), "")


def _picked(form: QueryDict, key: str, pick: str) -> Tap:
    kind, _colon, item_id = pick.partition(":")
    return _tap(
        key=key_of(key, kind, item_id),
        kind=kind,
        item_id=item_id,
        points=_points_text(form, pick),
        code=form.get(f"code:{pick}", ""),
        cost=form.get(f"cost:{pick}", ""),
        saving=form.get(f"saving:{pick}", ""),
        title=form.get(f"title:{pick}", ""),
        unit=unit_in(form, pick),
    )


def _tap(
    *,
    key: str,
    kind: str,
    item_id: str,
    points: str,
    code: str,
    cost: str,
    saving: str,
    unit: str,
    title: str = "",
) -> Tap:
    is_ours = (
        kind in set(SpendKind)
        and KEY.fullmatch(key)
        and 0 < len(item_id) <= LONGEST_ID
        and POINTS.fullmatch(points)
        and int(points) <= MOST_POINTS
        and COST.fullmatch(cost)
        and SAVING.fullmatch(saving)
        and len(unit) <= LONGEST_ID
    )
    if not is_ours:
        raise Problem(Refusal.BAD_REQUEST)
    spend_kind = SpendKind(kind)
    return Tap(
        kind=spend_kind,
        item_id=item_id,
        key=key,
        points=int(points) if spend_kind is SpendKind.POINTS else 0,
        code=read_code(code) if code and spend_kind is SpendKind.VOUCHER else "",
        cost=int(cost) if cost else None,
        saving=Decimal(saving) if saving else None,
        title=shown(title)[:LONGEST_TITLE],
        unit=unit,
    )
