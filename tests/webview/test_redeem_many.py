"""Several rewards in one tap: one code each, what works stays, and the rest says why it did not."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from loyaltyview.newstore.coupons import CouponRequest, MintedCode
from loyaltyview.newstore.errors import NewStoreRejected, NewStoreUnavailable
from loyaltyview.programs.models import Program
from loyaltyview.redemptions import saga
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.webview.taps import key_of
from providers.errors import OutcomeUnknown, Unavailable
from providers.sales import Finding
from providers.types import Discount, DiscountKind, Reward, Voucher

from .conftest import Mint, Open, launch_params, squeezed
from .fakes import MIA, POINTS_AS_MONEY, Vendor, off

KEY = "a-key-of-the-form-1"


def form(*chosen: str, key: str = KEY, **more: str) -> dict[str, object]:
    return {"key": key, "chosen": list(chosen), **more}


def codes_sent(html: str) -> list[str]:
    return re.findall(r"coupons\[\]=([A-Z0-9]+)", html.partition('id="handoff"')[2].partition(">")[0])


def test_each_chosen_one_gets_its_code_and_all_go_back_together(
    client: Client, shown: str, vendor: Vendor
) -> None:
    response = client.post(shown + "several/", form("voucher:v-birthday", "reward:ten-off"))
    assert (response.status_code, response["Location"]) == (303, f"{shown}applied/?go=1")
    html = client.get(response["Location"]).content.decode()
    assert 'data-page="applied" data-state="live" data-go' in html
    assert "\N{MINUS SIGN}$25.00" in html
    assert "2 rewards applied" in html
    assert codes_sent(html) == ["LOY0000001", "LOY0000002"]
    assert html.count("data-undo=") == 2
    assert vendor.members["L-00042"].balance.spendable == 620
    keys = set(Redemption.objects.values_list("key", flat=True))
    assert keys == {key_of(KEY, "voucher", "v-birthday"), key_of(KEY, "reward", "ten-off")}


def test_the_same_form_again_is_the_same_redemptions(client: Client, shown: str, vendor: Vendor) -> None:
    chosen = form("voucher:v-birthday", "reward:ten-off")
    first, second = (client.post(shown + "several/", chosen) for _tap in range(2))
    assert first["Location"] == second["Location"]
    assert Redemption.objects.count() == 2
    assert vendor.members["L-00042"].balance.spendable == 620


def test_htmx_is_sent_by_a_real_navigation(client: Client, shown: str) -> None:
    response = client.post(shown + "several/", form("reward:ten-off"), headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == f"{shown}applied/?go=1"


def test_each_next_one_counts_on_what_is_left_of_the_cart(client: Client, shown: str, vendor: Vendor) -> None:
    client.post(shown + "several/", form("voucher:v-birthday", "reward:fifteen-percent"))
    savings = dict(Redemption.objects.values_list("item_id", "saving"))
    assert savings == {"v-birthday": Decimal("15.00"), "fifteen-percent": Decimal("17.24")}


def test_a_code_that_has_run_out_is_not_counted_as_applied(client: Client, shown: str) -> None:
    client.post(shown + "several/", form("voucher:v-birthday", "reward:ten-off"))
    Redemption.objects.filter(item_id="v-birthday").update(code_expires_at=timezone.now())
    html = client.get(shown + "applied/").content.decode()
    assert len(codes_sent(html)) == 1
    assert '<bdi class="huge">\N{MINUS SIGN}$10.00</bdi>' in html
    assert "1 reward applied" in html


def test_what_fails_leaves_what_worked_and_says_why(
    client: Client, shown: str, monkeypatch: pytest.MonkeyPatch, newstore: Mint
) -> None:
    def mint(program: Program, request: CouponRequest) -> MintedCode:
        if request.reference == "ten-off":
            raise NewStoreRejected("400")
        return newstore(program, request)

    monkeypatch.setattr(saga, "mint_code", mint)
    response = client.post(shown + "several/", form("reward:ten-off", "voucher:v-birthday"))
    assert "?go" not in response["Location"], "what did not work is read before the page is left"
    html = client.get(response["Location"]).content.decode()
    assert 'role="alert" tabindex="-1" autofocus data-error="NEWSTORE_REJECTED"' in html
    assert "<strong>$10 off</strong>: NewStore refused this discount" in html
    assert "\N{MINUS SIGN}$15.00" in html
    assert codes_sent(html) == ["LOY0000001"]


def test_when_nothing_worked_every_reason_is_said_and_the_choice_stays(
    client: Client, shown: str, vendor: Vendor
) -> None:
    response = client.post(shown + "several/", form("reward:fifty-off", "reward:big-cart"))
    html = response.content.decode()
    assert response.status_code == 422
    assert 'data-page="member"' in html
    assert "Nothing was applied." in html
    assert "Not possible: 40 points more." in html
    assert "Not possible: $12.50 more in the cart." in html
    assert "spend" not in vendor.calls
    assert not Redemption.objects.exists()


def test_points_must_suffice_for_the_sum(client: Client, shown: str, vendor: Vendor) -> None:
    vendor.members[MIA.ref] = replace(MIA, balance=replace(MIA.balance, spendable=350))
    client.post(shown + "several/", form("reward:fifteen-percent", "reward:ten-off"))
    states = dict(Redemption.objects.values_list("item_id", "state"))
    assert states == {"fifteen-percent": State.REVEALED, "ten-off": State.REFUSED}
    assert vendor.members[MIA.ref].balance.spendable == 50


def test_nothing_is_cut_by_the_others_in_silence(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint
) -> None:
    page = open_page(cartTotal=20)
    client.get(page)
    response = client.post(page + "several/", form("voucher:v-birthday", "reward:ten-off"))
    html = client.get(response["Location"]).content.decode()
    assert 'data-error="CUT"' in html
    assert Redemption.objects.get().item_id == "v-birthday"
    # By itself, with the cut said on its card, it can still be applied.
    member = client.get(page).content.decode()
    assert "would be lost" in member
    client.post(page + "redeem/", {"key": "tap-on-the-card-1", "kind": "reward", "item": "ten-off"})
    assert sum(Redemption.objects.values_list("saving", flat=True)) == Decimal("20.00")


def test_points_as_money_fill_what_the_others_leave(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint
) -> None:
    vendor.rewards = (POINTS_AS_MONEY,)
    page = open_page(cartTotal=25)
    client.get(page)
    chosen = form("points:points-as-money", "voucher:v-birthday", **{"points:points:points-as-money": "200"})
    client.post(page + "several/", chosen)
    rows = Redemption.objects.order_by("requested_at")
    assert [(row.item_id, row.points, row.saving) for row in rows] == [
        ("v-birthday", 0, 15),
        ("points-as-money", 200, 10),
    ]


def test_without_a_script_the_number_of_points_has_a_field_of_its_own(
    client: Client, shown: str, vendor: Vendor
) -> None:
    vendor.rewards = (POINTS_AS_MONEY,)
    html = squeezed(client.get(shown).content.decode())
    (field,) = re.findall(r'<input [^>]*type="number"[^>]*>', html)
    assert 'form="several" name="points:points:points-as-money"' in field
    assert 'min="100" max="800" step="50" value="100"' in field
    fields = form("points:points-as-money", "voucher:v-birthday")
    client.post(shown + "several/", fields | {"points:points:points-as-money": "150"})
    assert Redemption.objects.get(item_id="points-as-money").points == 150


def test_a_typed_voucher_is_looked_up_and_nothing_else_is_applied(
    client: Client, shown: str, vendor: Vendor
) -> None:
    """Without a script one form holds the ticked boxes and the voucher's field."""
    html = squeezed(client.get(shown).content.decode())
    field = html.partition('<input id="voucher-code"')[2].partition(">")[0]
    assert 'name="code"' in field
    assert 'form="several"' in field
    vendor.unlisted = (Voucher(voucher_id="v-paper", title="Paper", code="PAPER-25", discount=off("25")),)
    response = client.post(shown + "several/", form("reward:ten-off", code=" paper-25 "))
    assert response.status_code == 200
    html = response.content.decode()
    assert re.findall(r'name="chosen" value="([^"]+)" checked', html) == ["voucher:v-paper"]
    response = client.post(shown + "several/", form("reward:ten-off", code="WRONG"))
    assert response.status_code == 422
    assert 'id="voucher-problem" role="alert" data-error="REWARD_NOT_FOUND"' in response.content.decode()
    assert not Redemption.objects.exists()


def test_what_a_script_filled_in_counts(client: Client, shown: str, vendor: Vendor) -> None:
    vendor.rewards = (POINTS_AS_MONEY,)
    fields = form("points:points-as-money", "voucher:v-birthday")
    client.post(shown + "several/", fields | {"points:points:points-as-money": ["800", "200"]})
    assert Redemption.objects.get(item_id="points-as-money").points == 200


def test_points_without_their_number_are_refused(client: Client, shown: str, vendor: Vendor) -> None:
    vendor.rewards = (POINTS_AS_MONEY,)
    response = client.post(shown + "several/", form("points:points-as-money", "voucher:v-birthday"))
    html = client.get(response["Location"]).content.decode()
    assert 'data-error="POINTS_NOT_OFFERED"' in html
    assert "From 100 to 800 points are possible, in steps of 50." in html


def test_two_free_products_never_take_the_same_item(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint
) -> None:
    free = Discount(kind=DiscountKind.PRODUCT, skus=("CAP-02",))
    vendor.rewards = tuple(
        Reward(reward_id=f"cap-{n}", title="Free cap", points=10, discount=free) for n in "ab"
    )
    page = open_page()
    client.get(page)
    response = client.post(page + "several/", form("reward:cap-a", "reward:cap-b"))
    html = client.get(response["Location"]).content.decode()
    assert Redemption.objects.get().saving == Decimal(40)
    assert 'data-error="PRODUCT_MISSING"' in html
    assert 'data-reason="PRODUCT_MISSING"' in client.get(page).content.decode()


def test_after_an_open_answer_nothing_more_is_tried(client: Client, shown: str, vendor: Vendor) -> None:
    vendor.errors["spend"] = OutcomeUnknown("timeout")
    response = client.post(shown + "several/", form("reward:ten-off", "voucher:v-birthday"))
    assert response["Location"] == f"{shown}applied/"
    html = client.get(response["Location"]).content.decode()
    assert 'data-state="uncertain"' in html
    assert 'hx-trigger="every 2s"' in html
    assert 'data-error="NOT_TRIED"' in html
    assert "LOY0000001" not in html
    assert client.get(response["Location"], headers={"HX-Request": "true"}).status_code == 204
    vendor.finding = Finding.HAPPENED
    assert Redemption.objects.count() == 1


def test_when_the_program_does_not_answer_nothing_more_is_tried(
    client: Client, shown: str, vendor: Vendor
) -> None:
    vendor.down(Unavailable("timeout"))
    vendor.calls.clear()
    response = client.post(shown + "several/", form("reward:ten-off", "voucher:v-birthday"))
    assert response.status_code == 503
    assert 'data-page="unavailable"' in response.content.decode()
    assert sorted(vendor.calls) == ["get_member", "list_rewards"]


def test_when_newstore_does_not_answer_nothing_more_is_tried(
    client: Client, shown: str, newstore: Mint
) -> None:
    newstore.error = NewStoreUnavailable("timeout")
    html = client.post(shown + "several/", form("reward:ten-off", "voucher:v-birthday")).content.decode()
    assert 'data-error="NEWSTORE_UNAVAILABLE"' in html
    assert 'data-error="NOT_TRIED_EITHER"' in html
    assert Redemption.objects.count() == 1


TITLES = {"title:reward:ten-off": "$10 off", "title:voucher:v-birthday": "Birthday voucher"}


def test_what_was_not_tried_is_named(client: Client, shown: str, vendor: Vendor) -> None:
    vendor.errors["spend"] = OutcomeUnknown("timeout")
    html = client.get(shown).content.decode()
    assert 'form="several" name="title:voucher:v-birthday" value="Birthday voucher"' in html
    chosen = form("reward:ten-off", "voucher:v-birthday", **TITLES)
    html = client.post(shown + "several/", chosen, follow=True).content.decode()
    assert '<li data-error="NOT_TRIED"><strong>Birthday voucher</strong>: Not tried' in squeezed(html)


def test_what_is_wrong_with_the_cart_and_not_with_one_of_them_is_said_once(
    client: Client, shown: str, program: Program, vendor: Vendor
) -> None:
    Client().get("/launch/acme/", launch_params(program))
    chosen = form("reward:ten-off", "voucher:v-birthday", "reward:fifteen-percent", **TITLES)
    response = client.post(shown + "several/", chosen)
    html = response.content.decode()
    assert (response.status_code, html.count("This cart may have changed")) == (409, 1)
    assert 'data-error="OPENED_ANEW"' in html
    assert html.count("checked") == 3


def test_what_is_not_offered_any_more_is_named(client: Client, shown: str, vendor: Vendor) -> None:
    vendor.vouchers = ()
    chosen = form("reward:ten-off", "voucher:v-birthday", **TITLES)
    html = client.post(shown + "several/", chosen, follow=True).content.decode()
    assert '<li data-error="ITEM_UNKNOWN"><strong>Birthday voucher</strong>: ' in squeezed(html)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("<b>Free</b>", "<strong>&lt;b&gt;Free&lt;/b&gt;</strong>: "),
        ("NUL\0", ""),
        ("x" * 999, "x" * 200 + "<"),
    ],
)
def test_a_title_in_the_form_is_only_text(
    client: Client, shown: str, vendor: Vendor, title: str, said: str
) -> None:
    chosen = form("reward:ten-off", "reward:invented", **{"title:reward:invented": title})
    html = client.post(shown + "several/", chosen, follow=True).content.decode()
    assert said in html.partition('<li data-error="ITEM_UNKNOWN">')[2].partition("</li>")[0]
    assert "<b>" not in html


def test_an_answer_that_turns_out_a_no_is_said(client: Client, shown: str, vendor: Vendor) -> None:
    vendor.errors["spend"] = OutcomeUnknown("timeout")
    response = client.post(shown + "several/", form("reward:ten-off"))
    vendor.finding = Finding.DID_NOT
    html = client.get(response["Location"], follow=True).content.decode()
    assert 'data-page="member"' in html
    assert 'data-error="NOT_SPENT"' in html


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_what_was_not_tried_is_said_with_an_answer_that_turns_out_a_no(
    client: Client, shown: str, vendor: Vendor, headers: dict[str, str]
) -> None:
    vendor.errors["spend"] = OutcomeUnknown("timeout")
    chosen = form("reward:ten-off", "voucher:v-birthday", **TITLES)
    asked = client.post(shown + "several/", chosen)["Location"]
    vendor.finding = Finding.DID_NOT
    response = client.get(asked, headers=headers)
    html = client.get(response.headers.get("HX-Redirect", asked), follow=True).content.decode()
    assert 'data-error="NOT_SPENT"' in html
    assert "<strong>Birthday voucher</strong>: Not tried" in html


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (form(), "NOTHING_CHOSEN"),
        (form("reward:ten-off", key="short"), "BAD_REQUEST"),
        (form("gift:ten-off"), "BAD_REQUEST"),
        (form("reward:"), "BAD_REQUEST"),
        (form("ten-off"), "BAD_REQUEST"),
        (form("points:p", **{"points:points:p": "12.5"}), "BAD_REQUEST"),
        (form("points:p", **{"points:points:p": "-5"}), "BAD_REQUEST"),
        (form(*(f"reward:r-{n}" for n in range(11))), "CART_FULL"),
        (form("reward:somebody-elses"), "ITEM_UNKNOWN"),
    ],
)
def test_a_tampered_form_changes_nothing(
    client: Client, shown: str, fields: dict[str, object], code: str
) -> None:
    response = client.post(shown + "several/", fields)
    assert response.status_code == 422
    assert f'data-error="{code}"' in response.content.decode()
    assert not Redemption.objects.exists()


def test_without_a_tap_there_is_nothing_to_show_together(client: Client, shown: str) -> None:
    assert client.get(shown + "applied/")["Location"] == shown


def test_another_member_in_the_cart_does_not_see_them(client: Client, shown: str) -> None:
    client.post(shown + "several/", form("reward:ten-off"))
    client.post(shown + "find/", {"q": "617 555 0101"})
    assert client.get(shown + "applied/")["Location"] == shown


def test_a_cart_takes_only_as_many_codes_as_one_handoff_carries(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint
) -> None:
    page = open_page(selectedCoupons=[f"CODE-{n}" for n in range(9)])
    client.get(page)
    response = client.post(page + "several/", form("voucher:v-birthday", "reward:ten-off"))
    html = client.get(response["Location"]).content.decode()
    assert 'data-error="CART_FULL"' in html
    assert len(re.findall(r"coupons\[\]=", html.partition('id="handoff"')[2].partition(">")[0])) == 10


def test_a_reward_with_a_minimum_is_judged_by_what_is_left(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint
) -> None:
    vendor.rewards = (
        Reward(reward_id="from-120", title="$5 off", points=10, discount=off("5", minimum="120")),
    )
    page = open_page()
    client.get(page)
    client.post(page + "several/", form("voucher:v-birthday", "reward:from-120"))
    html = client.get(page).content.decode()
    assert 'data-reason="MINIMUM"' in html
    assert "$5.10 more in the cart" in html


def test_the_first_is_not_cut_either_by_what_another_tab_applied(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint
) -> None:
    vendor.rewards = (
        *vendor.rewards,
        Reward(reward_id="five", title="$5 off", points=100, discount=off("5")),
    )
    page = open_page(cartTotal=17)
    html = client.get(page).content.decode()
    shown = dict(re.findall(r'form="several" name="((?:cost|saving):[^"]+)" value="([^"]*)"', html))
    client.post(page + "redeem/", {"key": "tap-in-another-tab", "kind": "voucher", "item": "v-birthday"})
    # $2 are left of the cart; this page still promised $10 and $5.
    response = client.post(page + "several/", form("reward:ten-off", "reward:five", **shown))
    assert response.status_code == 409
    assert 'data-error="CUT"' in response.content.decode()
    assert vendor.members[MIA.ref].balance.spendable == 820


def test_a_cart_with_nothing_left_to_pay_promises_nothing(
    client: Client, open_page: Open, vendor: Vendor
) -> None:
    html = client.get(open_page(cartTotal=0), follow=True).content.decode()
    assert "<h2>Nothing is left to pay in this cart</h2>" in html


def test_a_reward_and_a_voucher_with_the_same_id_are_two_things(
    client: Client, page: str, vendor: Vendor
) -> None:
    vendor.rewards = (Reward(reward_id="birthday", title="$10 off", points=200, discount=off("10")),)
    vendor.vouchers = (Voucher(voucher_id="birthday", title="Birthday", discount=off("5")),)
    html = client.get(page).content.decode()
    assert html.count('data-reward="birthday"') == 2
    shown = dict(re.findall(r'form="several" name="((?:cost|saving):[^"]+)" value="([^"]*)"', html))
    client.post(page + "several/", form("reward:birthday", **shown))
    assert [(row.kind, row.points) for row in Redemption.objects.all()] == [("reward", 200)]
