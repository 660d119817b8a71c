"""What the templates of the member page, and of the page without the vendor, get to show."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from loyaltyview.programs.models import Store
from loyaltyview.redemptions.models import IN_CART, Redemption
from loyaltyview.redemptions.refusals import Refusal, read_refusal
from loyaltyview.redemptions.stacking import StackingRule
from loyaltyview.webview import expiring, masking, snapshots, wording
from loyaltyview.webview.after_purchase import after_purchase
from loyaltyview.webview.applied_redemptions import (
    applied_in,
    cart_left,
    foreign_codes,
    of_member,
    redemptions_in,
    watch_query,
    way_back,
)
from loyaltyview.webview.cards import Deck, build_deck
from loyaltyview.webview.carts import cart_of, earning_cart, store_of
from loyaltyview.webview.choice import sign_offers
from loyaltyview.webview.healing import healing
from loyaltyview.webview.member_data import MemberData
from loyaltyview.webview.member_offers import MemberOffer, fit_offers
from loyaltyview.webview.member_reads import MemberReads
from loyaltyview.webview.members import masked_view, member_token
from loyaltyview.webview.models import Launch
from loyaltyview.webview.notices import notices, notices_in_address
from loyaltyview.webview.point_value import Advice, expires_soon, keep_points
from loyaltyview.webview.problems import FailedItem, Problem
from loyaltyview.work import clock
from providers.base import Capability, LoyaltyProvider
from providers.errors import AuthFailed, ProviderError
from providers.sales import SpendKind
from providers.types import Cart, Voucher


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A voucher that was looked up by `code`: found, or the problem to say beside the field."""

    code: str = ""
    voucher: Voucher | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastTap:
    """What the tap before this page came to. `problem` is said on top, or item by item where several
    `failed`; `chosen` are the boxes to tick again; `search` is a voucher that was looked up."""

    problem: Problem | None = None
    chosen: Collection[str] = ()
    failed: Collection[FailedItem] = ()
    search: Search = field(default_factory=Search)

    @property
    def status(self) -> int:
        """The page's HTTP status."""
        trouble = self.problem or self.search.problem
        return trouble.status if trouble else 200


class Page:
    """The launch's cart and what is applied in it. `whole` is the cart as the host sent it, `cart` what the
    redemptions `rows` leave of it."""

    def __init__(self, request: HttpRequest, launch: Launch, tap: LastTap) -> None:
        self.request, self.launch, self.tap = request, launch, tap
        self.provider: LoyaltyProvider = launch.program.provider()
        self.store: Store | None = store_of(launch)
        self.whole: Cart = cart_of(launch, self.store)
        self.read_redemptions()

    def read_redemptions(self) -> None:
        """Read what is applied: when the page begins, and again when its member is known only then."""
        self.rows: list[Redemption] = redemptions_in(self.launch)
        self.cart: Cart = cart_left(self.launch, self.whole, self.rows)
        self._reads: MemberReads | None = None

    @property
    def reads(self) -> MemberReads:
        """What is read of the launch's member."""
        if self._reads is None:
            earning = earning_cart(self.launch, self.whole, self.cart, self.rows)
            self._reads = MemberReads.of(self.launch, self.provider, self.cart, earning)
        return self._reads

    def shared_context(self) -> dict[str, Any]:
        """Return what every page of a member gets, the skeleton too."""
        problem = self.tap.problem
        return {
            "launch": self.launch,
            "program": self.launch.program,
            "store": self.store,
            "cart": self.cart,
            "is_reduced": self.cart.total != self.whole.total,
            "problem": problem,
            "sentence": problem.sentence if problem else "",
            "failed": self.tap.failed,
            "again": _again(self.request, problem),
            "query": notices_in_address(self.request),
        }

    def member_context(self, data: MemberData) -> dict[str, Any]:
        """Return what the member page shows of `data`."""
        launch, member, search = self.launch, data.member, self.tap.search
        rows = of_member(launch, self.rows)
        applied = applied_in(rows, self.provider)
        rule = StackingRule.of(launch.program)
        offers = fit_offers(
            data.rewards,
            _found_first(search.voucher, data.vouchers),
            cart=self.cart,
            spendable=member.balance.spendable,
            rows=rows,
            rule=rule,
        )
        deck = build_deck(
            offers,
            self.provider,
            self.cart,
            member,
            launch.program.product_names,
            _boxes(self.tap),
            {search.voucher.voucher_id: search.code} if search.voucher else {},
        )
        return {
            **self.shared_context(),
            "member": member,
            "masked": masked_view(launch, member),
            "member_token": member_token(launch),
            "way": wording.tier_way(member.tier, self.cart.total.currency) if member.tier else None,
            "earn": data.earn,
            "after_purchase": after_purchase(member, data.earn, deck),
            "advice": expiring.advise(member.balance, deck, data.earn),
            "deck": deck,
            "keep": self._advice(offers, data),
            "stacking": wording.stacking(rule, _kinds(deck, rows)),
            # The id of the form of all that is chosen.
            "several": "several",
            "offers": sign_offers(launch, deck.now, member.balance.spendable) if deck.now else "",
            # Found, but not for this cart: said beside the field.
            "search_locked": next((card for card in deck.locked if card.code), None),
            "search": search,
            "search_sentence": search.problem.sentence if search.problem else "",
            "applied": applied,
            "watch_query": watch_query(applied, self.provider),
            "handoff": way_back(launch, applied),
            "foreign_codes": foreign_codes(launch) if launch.selected_coupons else (),
            "as_of": data.as_of,
            "is_live": data.is_live,
            "minutes_ago": int((clock.now() - data.as_of).total_seconds() / 60) if data.as_of else 0,
            "trouble": read_refusal(data.trouble) if data.trouble else "",
            "has_history": Capability.HISTORY in self.provider.capabilities,
            "has_consents": Capability.CONSENT_CHANGE in self.provider.capabilities,
            **notices(self.request, launch, rows),
        }

    def _advice(self, offers: Collection[MemberOffer], data: MemberData) -> Advice | None:
        """Return why the points are better kept; None where they expire soon, and where they are as well
        spent now."""
        balance = data.member.balance
        if expires_soon(balance, clock.now()):
            return None
        return keep_points(offers, self.cart, spendable=balance.spendable, earn=data.earn)

    def outage_context(self, error: ProviderError) -> dict[str, Any]:
        """Return what the page without the vendor shows: what was last known, why nothing can be spent, and
        what the last tap came to."""
        rows = of_member(self.launch, self.rows)
        shown, code = notices(self.request, self.launch, rows), read_refusal(error)
        applied = applied_in(rows, self.provider)
        problem = self.tap.problem
        is_said = problem is not None and problem.outage is None
        return {
            **self.shared_context(),
            "problem": problem if is_said else None,
            "was_tapped": problem is not None and not is_said,
            "code": code,
            "outage": wording.OUTAGES[code],
            "needs_admin": isinstance(error, AuthFailed),
            # To try again helps nobody where an administrator must act.
            "healing": None if isinstance(error, AuthFailed) else healing(self.request),
            "known": snapshots.of_member(self.launch),
            "customer": _cart_customer(self.launch),
            "applied": applied,
            "handoff": way_back(self.launch, applied),
            **shown,
        }


def _cart_customer(launch: Launch) -> str:
    """Return the masked e-mail of the cart's customer; "" where the page is about another member, or where no
    associate may see it."""
    is_theirs = launch.is_customer or not launch.member_ref
    return masking.masked_email(launch.customer_email) if launch.is_verified and is_theirs else ""


def _found_first(found: Voucher | None, vouchers: tuple[Voucher, ...]) -> tuple[Voucher, ...]:
    if found is None:
        return vouchers
    return (found, *(each for each in vouchers if each.voucher_id != found.voucher_id))


def _kinds(deck: Deck, rows: Iterable[Redemption]) -> set[str]:
    """Return the kinds of spends that are in the cart or can come into it."""
    return {card.offer.kind.value for card in deck.now} | {row.kind for row in rows if row.state in IN_CART}


def _boxes(tap: LastTap) -> Collection[str]:
    """Return the boxes to tick: the voucher that was found, else what was ticked before."""
    if tap.search.voucher:
        return (f"{SpendKind.VOUCHER}:{tap.search.voucher.voucher_id}",)
    if tap.problem and tap.problem.code is Refusal.MEMBER_CHANGED:
        return ()  # ticked for another customer
    return tap.chosen


def _again(request: HttpRequest, problem: Problem | None) -> list[tuple[str, str]]:
    """Return the fields of a form that may succeed as it is a moment later; [] for any other."""
    if problem is None or problem.code is not Refusal.ANOTHER_TILL:
        return []
    return [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken"
    ]
