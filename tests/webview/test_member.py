"""The member page in its states: full, empty, partly and wholly unavailable, slow."""

import re
from dataclasses import replace
from decimal import Decimal
from html import unescape

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.webview.models import Launch
from providers.errors import AuthFailed, ProviderError, Unavailable, UnexpectedAnswer
from providers.types import Discount, DiscountKind, Lock, LockReason, PointsRange, Voucher

from .conftest import Mint, Open, squeezed, words
from .fakes import ANNA, MIA, POINTS_AS_MONEY, FakeProvider, Vendor, usd
from .test_redeem import form


def card(html: str, reward: str) -> str:
    """Return the card's start tag and what follows up to the next card."""
    found = re.search(rf'<[^>]+data-reward="{reward}".*?(?=data-reward=|</main>)', html, re.DOTALL)
    assert found, f"no card {reward}"
    return found.group(0)


def test_points_tier_and_what_the_cart_earns_come_first(client: Client, page: str) -> None:
    html = client.get(page).content.decode()
    assert 'data-page="member"' in html
    assert 'data-points="820"' in html
    assert 'data-tier="Silver"' in html
    assert "Mia S." in html
    assert "180 points to Gold" in html
    assert "60 pending" in html
    assert "120 points expire on Nov 30" in html
    assert "Cart $129.90" in html
    assert "2 items" in html
    assert "This cart earns 129 points" in html


def test_owned_vouchers_come_first_then_the_best_saving_per_point(client: Client, page: str) -> None:
    html = client.get(page).content.decode()
    order = re.findall(r'data-reward="([^"]+)"', html)
    # 15 % of $129.90 for 300 points, $10 for 200.
    assert order == [
        "v-birthday",
        "fifteen-percent",
        "ten-off",
        "big-cart",
        "fifty-off",
        "gold-gift",
        "free-shipping",
    ]


def test_gift_cards_and_discounts_for_a_category_say_how_they_are_used(
    client: Client, page: str, vendor: Vendor
) -> None:
    gift_card = Discount(kind=DiscountKind.GIFT_CARD, amount=usd("25.00"))
    shoes = Discount(kind=DiscountKind.PERCENT, percent=Decimal(20), category="SHOES")
    vendor.vouchers = (
        Voucher(voucher_id="card", title="Gift card", discount=gift_card),
        Voucher(voucher_id="shoes", title="20% off shoes", discount=shoes),
    )
    html = client.get(page).content.decode()
    assert "It is $25 to pay with, not a discount. If this store takes it, take it when" in card(html, "card")
    assert 'id="gift-cards"' in html
    assert "For products of category SHOES, which this till cannot see." in card(html, "shoes")
    refused = client.post(page + "redeem/", form(kind="voucher", item="card"))
    assert 'data-error="GIFT_CARD"' in refused.content.decode()
    assert not Redemption.objects.exists()


def proposed(html: str) -> list[str]:
    """Return the rewards that are ticked when the page opens."""
    return re.findall(r'name="chosen" value="([^"]+)" checked', html)


def test_nothing_is_ticked_at_the_start(client: Client, page: str, vendor: Vendor) -> None:
    vendor.rewards += (POINTS_AS_MONEY,)
    assert proposed(client.get(page).content.decode()) == []


def test_after_a_spend_or_an_undo_nothing_is_chosen(client: Client, page: str) -> None:
    client.get(page)
    client.post(page + "redeem/", form())
    assert proposed(client.get(page).content.decode()) == []
    client.post(f"{page}undo/{Redemption.objects.get().pk}/")
    assert proposed(client.get(page).content.decode()) == []


def test_with_a_code_in_the_cart_the_way_back_is_the_main_action(client: Client, page: str) -> None:
    assert "Return to cart" not in client.get(page).content.decode()
    client.post(page + "redeem/", form())
    back = client.get(page).content.decode().partition('id="return-bar"')[2]
    assert "coupons[]=LOY0000001&amp;cartId=5f0c1d3e-cart-1" in back
    Redemption.objects.update(code_expires_at=timezone.now())
    assert "Return to cart" not in client.get(page).content.decode()


def test_with_the_vendor_away_the_way_back_stays_the_main_action(
    client: Client, page: str, vendor: Vendor
) -> None:
    client.get(page)
    client.post(page + "redeem/", form())
    vendor.down(Unavailable("timeout"))
    html = client.get(page).content.decode()
    assert "coupons[]=LOY0000001" in html.partition('class="bar"')[2]
    assert "Try again" in html


@pytest.mark.parametrize(
    ("spendable", "total", "gap"), [(820, 4, "$1 more in the cart"), (60, 129.9, "40 points more")]
)
def test_points_as_money_below_their_least_say_what_is_missing(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint, spendable: int, total: float, gap: str
) -> None:
    vendor.rewards = (POINTS_AS_MONEY,)
    vendor.members[MIA.ref] = replace(MIA, balance=replace(MIA.balance, spendable=spendable))
    html = card(client.get(open_page(cartTotal=total)).content.decode(), "points-as-money")
    assert gap in html
    assert "Not enough points" not in html


@pytest.mark.parametrize(
    ("value", "order"),
    [
        ("0.06", ["v-birthday", "fifteen-percent", "points-as-money", "ten-off"]),
        ("0.07", ["v-birthday", "points-as-money", "fifteen-percent", "ten-off"]),
    ],
)
def test_points_as_money_stand_where_the_worth_of_a_point_puts_them(
    client: Client, page: str, vendor: Vendor, value: str, order: list[str]
) -> None:
    # 15 % of $129.90 for 300 points are 6.5 cents a point.
    span = PointsRange(minimum=100, maximum=5000, step=50, value_per_point=usd(value))
    vendor.rewards += (replace(POINTS_AS_MONEY, points_range=span),)
    html = client.get(page).content.decode()
    assert re.findall(r'data-reward="([^"]+)"', html)[:4] == order


def test_points_as_money_start_with_the_smallest_step(client: Client, page: str, vendor: Vendor) -> None:
    vendor.rewards = (POINTS_AS_MONEY,)
    html = squeezed(card(client.get(page).content.decode(), "points-as-money"))
    assert 'min="100" max="800" step="50" value="100"' in html
    assert "\N{MINUS SIGN}$5.00" in html


def test_the_button_says_what_will_happen_in_money(client: Client, page: str) -> None:
    html = client.get(page).content.decode()
    assert "Apply $19.49 off, 300 points" in card(html, "fifteen-percent")
    assert "Apply $15 off" in card(html, "v-birthday")


def test_a_final_reward_says_so_before_the_tap(client: Client, page: str) -> None:
    html = client.get(page).content.decode()
    assert "Cannot be undone" in card(html, "fifteen-percent")
    assert "Cannot be undone" not in card(html, "ten-off").partition("</form>")[0]


@pytest.mark.parametrize(
    ("reward", "reason", "gap"),
    [
        ("big-cart", "MINIMUM", "$12.50 more in the cart"),
        ("fifty-off", "POINTS", "40 points more"),
        ("gold-gift", "TIER", "Gold members only, 180 points to Gold"),
        ("free-shipping", "ONLINE_ONLY", "Only in the online shop"),
    ],
)
def test_a_locked_reward_says_the_exact_gap(
    client: Client, page: str, reward: str, reason: str, gap: str
) -> None:
    found = card(client.get(page).content.decode(), reward)
    assert 'data-state="locked"' in found
    assert f'data-reason="{reason}"' in found
    assert gap in found
    assert "<form" not in found.partition("</li>")[0]


@pytest.mark.parametrize(
    ("lock", "gap"),
    [
        (
            Lock(reason=LockReason.TIER, tier="Gold", points_gap=1140),
            "Gold members only, 180 points to Gold; then 1,140 points more",
        ),
        (
            Lock(reason=LockReason.TIER, tier="Platinum", points_gap=40),
            "From Platinum tier; then 40 points more",
        ),
        (Lock(reason=LockReason.OTHER, points_gap=1), "Not open to this member; then 1 point more"),
        (Lock(reason=LockReason.OTHER), "Not open to this member"),
    ],
)
def test_a_lock_beside_the_points_is_named_before_the_points(
    client: Client, page: str, vendor: Vendor, lock: Lock, gap: str
) -> None:
    vendor.rewards = tuple(
        replace(reward, lock=lock) if reward.reward_id == "gold-gift" else reward for reward in vendor.rewards
    )
    assert gap in card(client.get(page).content.decode(), "gold-gift")


def test_every_card_has_a_key_of_its_own_in_each_rendering(client: Client, page: str) -> None:
    keys = re.findall(r'name="key" value="([^"]+)"', client.get(page).content.decode())
    again = re.findall(r'name="key" value="([^"]+)"', client.get(page).content.decode())
    # Three cards, and the form of all that is chosen.
    assert len(set(keys + again)) == 8


def test_points_as_money_never_exceed_the_cart_or_the_balance(
    client: Client, page: str, vendor: Vendor
) -> None:
    vendor.rewards = (POINTS_AS_MONEY,)
    html = card(client.get(page).content.decode(), "points-as-money")
    assert 'max="800"' in html  # of 820, in steps of 50 from 100
    vendor.members[MIA.ref] = replace(MIA, balance=replace(MIA.balance, spendable=50_000))
    html = card(client.get(page).content.decode(), "points-as-money")
    assert 'max="2550"' in html  # $129.90 at 5 cents are 2598 points


def test_the_contact_is_masked(client: Client, page: str) -> None:
    html = client.get(page).content.decode()
    assert "m•••@example.test" in html
    assert "mia@example.test" not in html
    assert "Stone" not in html


def test_without_rewards_the_page_says_so(client: Client, page: str, vendor: Vendor) -> None:
    vendor.rewards, vendor.vouchers = (), ()
    assert "Nothing to use yet" in client.get(page).content.decode()


def test_a_customer_who_is_no_member_is_enrolled(client: Client, open_page: Open, vendor: Vendor) -> None:
    response = client.get(open_page(customerEmail="new@example.test"), follow=True)
    html = response.content.decode()
    assert 'data-page="enrol"' in html
    assert 'placeholder="n•••@example.test"' in html
    assert "new@example.test" not in html


def test_a_cart_without_customer_asks_for_one(client: Client, open_page: Open, vendor: Vendor) -> None:
    html = client.get(open_page(customerEmail=""), follow=True).content.decode()
    assert 'data-page="find"' in html
    assert vendor.calls == []


def test_several_matches_are_offered_masked(client: Client, open_page: Open, vendor: Vendor) -> None:
    html = client.get(open_page(customerEmail="family@example.test"), follow=True).content.decode()
    assert "Noah B." in html
    assert "Anna B." in html
    assert "family@" not in html


def test_members_that_share_a_name_and_an_address_are_told_apart(
    client: Client, open_page: Open, vendor: Vendor
) -> None:
    twin = replace(ANNA, ref="L-00045", member_id="L-00045", phone="+16175550199")
    vendor.members = {ANNA.ref: ANNA, twin.ref: twin}
    html = client.get(open_page(customerEmail="family@example.test"), follow=True).content.decode()
    for end in ("••• 0102", "••• 0199", "•••0044", "•••0045"):
        assert html.count(end) == 1
    assert "+1617" not in html


def test_members_that_look_alike_when_masked_show_their_number(
    client: Client, open_page: Open, vendor: Vendor
) -> None:
    alike = [replace(ANNA, ref=f"r{n}", member_id=f"{n}-00044", phone="") for n in "AB"]
    vendor.members = {member.ref: member for member in alike}
    html = client.get(open_page(customerEmail="family@example.test"), follow=True).content.decode()
    assert "<span>A-00044</span>" in html
    assert "<span>B-00044</span>" in html


def test_a_deleted_member_is_looked_up_again(client: Client, page: str, vendor: Vendor) -> None:
    client.get(page)
    vendor.members.clear()
    html = client.get(page, follow=True).content.decode()
    assert 'data-page="find"' in html
    assert 'data-error="MEMBER_NOT_FOUND"' in html


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable("timeout"), "PROVIDER_UNAVAILABLE"),
        (AuthFailed("401"), "PROVIDER_AUTH"),
        (UnexpectedAnswer("html"), "PROVIDER_UNEXPECTED"),
    ],
)
def test_a_vendor_that_is_down_shows_the_last_known_balance(
    client: Client, page: str, open_page: Open, vendor: Vendor, error: ProviderError, code: str
) -> None:
    vendor.is_local = False
    client.get(page)
    vendor.down(error)
    # Another cart of the same customer, opened while the vendor is away.
    response = client.get(open_page(cartId="cart-2"))
    html = response.content.decode()
    assert response.status_code == 503
    assert 'data-page="unavailable"' in html
    assert f'data-error="{code}"' in html
    assert "820" in html
    assert "As of" in html
    assert "redeem/" not in html
    assert "earns its points as usual" in html
    assert ("administrator" in html) == (code in ("PROVIDER_AUTH", "PROVIDER_UNEXPECTED"))


def test_an_unknown_balance_is_not_invented(client: Client, page: str, vendor: Vendor) -> None:
    vendor.down(Unavailable("timeout"))
    assert "not known here yet" in client.get(page).content.decode()


def test_another_customers_balance_is_never_shown(
    client: Client, page: str, open_page: Open, vendor: Vendor
) -> None:
    client.get(page)
    vendor.down(Unavailable("timeout"))
    html = client.get(open_page(customerEmail="family@example.test")).content.decode()
    assert "820" not in words(html)


def test_rewards_that_cannot_be_read_leave_the_balance(client: Client, page: str, vendor: Vendor) -> None:
    vendor.errors["list_rewards"] = Unavailable("timeout")
    vendor.vouchers = ()
    response = client.get(page)
    html = response.content.decode()
    assert response.status_code == 200
    assert 'data-points="820"' in html
    assert 'data-trouble="PROVIDER_UNAVAILABLE"' in html
    assert "Nothing to use yet" not in html


def test_the_balance_from_before_an_undo_is_not_shown_after_it(
    client: Client, page: str, vendor: Vendor
) -> None:
    """The program took its time: it gave the points back, and then did not say how many there are."""
    vendor.is_local = False
    client.get(page)
    client.post(page + "redeem/", form())
    assert 'data-points="620"' in client.get(page).content.decode()
    vendor.down(Unavailable("timeout"))
    response = client.post(f"{page}undo/{Redemption.objects.get().pk}/", follow=True)
    html = response.content.decode()
    assert "200 points are back." in html
    assert 'data-page="unavailable"' in html
    assert "<strong>620</strong>" not in html
    assert "<strong>620</strong>" not in client.get(page).content.decode(), "nor later: it has changed since"


def test_without_the_vendor_an_undo_says_its_result(client: Client, page: str, vendor: Vendor) -> None:
    client.get(page)
    client.post(page + "redeem/", form())
    vendor.down(Unavailable("timeout"))
    vendor.errors["release"] = Unavailable("timeout")
    response = client.post(f"{page}undo/{Redemption.objects.get().pk}/", follow=True)
    html = response.content.decode()
    assert response.status_code == 503
    assert 'data-page="unavailable"' in html
    assert "It is being given back. The points return as soon as the program answers." in html
    in_cart = html.partition("In this cart")[2].partition("</ul>")[0]
    assert "Being given back" in in_cart
    again = re.search(r'href="([^"]+)"><svg[^>]*><use[^>]*></use></svg>Try again', squeezed(html))
    assert again
    vendor.errors.clear()
    assert "It is being given back." in client.get(unescape(again.group(1))).content.decode()


def test_with_the_vendor_away_a_refused_undo_keeps_its_sentence_and_status(
    client: Client, page: str, vendor: Vendor
) -> None:
    client.get(page)
    client.post(page + "redeem/", form())
    Redemption.objects.update(state=State.USED, order_id="o-1")
    vendor.down(Unavailable("timeout"))
    response = client.post(f"{page}undo/{Redemption.objects.get().pk}/")
    html = response.content.decode()
    assert response.status_code == 409
    assert 'data-page="unavailable"' in html
    assert 'role="alert" tabindex="-1" autofocus data-error="UNDO_NOT_POSSIBLE"' in html
    assert "This cannot be undone any more." in html
    assert "Used in an order" in html


def test_with_the_vendor_away_a_refusal_is_said(client: Client, page: str, vendor: Vendor) -> None:
    client.get(page)
    client.post(page + "redeem/", form())
    Redemption.objects.update(state=State.REFUSED, refusal="NOT_SPENT")
    vendor.down(Unavailable("timeout"))
    html = client.get(f"{page}?refused={Redemption.objects.get().pk}").content.decode()
    assert 'data-error="NOT_SPENT"' in html


def test_a_hanging_vendor_is_given_up_at_the_deadline(
    client: Client, page: str, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "PAGE_DEADLINE_S", 0.05)
    vendor.hold()
    response = client.get(page + "content/", headers={"HX-Request": "true"})
    assert response.status_code == 503
    assert 'data-error="PROVIDER_UNAVAILABLE"' in response.content.decode()


def test_content_without_htmx_is_the_whole_page(client: Client, page: str) -> None:
    response = client.get(page + "content/", follow=True)
    assert 'data-page="member"' in response.content.decode()


def test_history_is_a_page_and_a_fragment(client: Client, page: str, vendor: Vendor) -> None:
    client.get(page)
    whole = client.get(page + "history/").content.decode()
    assert "Order ACM-1001" in whole
    assert "+120" in whole
    fragment = client.get(page + "history/", headers={"HX-Request": "true"}).content.decode()
    assert "-200" in fragment
    assert "<html" not in fragment
    vendor.errors["get_history"] = Unavailable("timeout")
    assert 'data-error="PROVIDER_UNAVAILABLE"' in client.get(page + "history/").content.decode()


def test_a_history_of_our_own_calls_says_so(
    client: Client, page: str, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get(page)
    assert "this till system did" not in client.get(page + "history/").content.decode()
    monkeypatch.setattr(FakeProvider, "has_our_history", True)
    assert "Only what this till system did" in client.get(page + "history/").content.decode()


def test_the_page_needs_few_queries(
    client: Client, page: str, newstore: Mint, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.get(page)
    with django_assert_max_num_queries(4):
        client.get(page)


def test_the_customers_key_is_not_their_name(client: Client, page: str) -> None:
    client.get(page)
    assert "mia" not in Launch.objects.get().customer_key
