"""The member page in a real browser, with a vendor that can be slow: what only scripts can get wrong."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from loyaltyview.newstore.errors import NewStoreError, NewStoreRejected, NewStoreUnavailable
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.webview.models import Launch
from providers.types import Discount, DiscountKind, PointsRange, Reward

from .conftest import Browse, Mint
from .fakes import MIA, POINTS_AS_MONEY, REWARDS, Vendor, usd

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


def tap(page: Page, reward: str) -> None:
    page.locator(f"[data-reward='{reward}'] label").first.click()


def chosen(page: Page) -> list[str]:
    boxes = page.locator("[data-reward]:has([name=chosen]:checked)")
    return [box.get_attribute("data-reward") or "" for box in boxes.all()]


def test_choosing_works_after_the_skeleton_was_replaced(open_in_browser: Browse, slow: Vendor) -> None:
    slow.rewards = (*REWARDS, POINTS_AS_MONEY)
    asked: list[str] = []
    page = open_in_browser(
        lambda page: page.on("request", lambda request: asked.append(request.url)), wait_until="commit"
    )
    expect(page.locator("#early")).to_be_visible()
    slow.let_go()
    expect(page.locator("[data-points='820']")).to_be_visible()
    page.wait_for_load_state()
    expect(page.locator("#early")).not_to_be_attached()
    assert not [url for url in asked if "/content/" in url], "the content came behind the skeleton"
    assert chosen(page) == []
    tap(page, "ten-off")
    assert chosen(page) == ["ten-off"]
    tap(page, "points-as-money")
    expect(page.get_by_role("button", name="Apply 2 rewards, save $15.00")).to_be_visible()
    page.locator("[data-reward='points-as-money'] input[type=number]").fill("800")
    # 620 points are left: 600 in steps of 50, and one step less.
    page.get_by_role("button", name="Fewer points").click()
    expect(page.locator("[data-reward='points-as-money'] input[type=number]")).to_have_value("550")
    page.get_by_role("button", name="Apply 2 rewards, save $37.50").click()
    expect(page.locator("#handoff")).to_be_visible()
    applied = Redemption.objects.filter(state=State.REVEALED).values_list("item_id", "points")
    assert dict(applied) == {"ten-off": 200, "points-as-money": 550}


def test_a_tap_before_the_script_has_loaded_counts(open_in_browser: Browse) -> None:
    held: list[Route] = []
    page = open_in_browser(
        lambda page: page.route("**/choose.js", lambda route: held.append(route)), wait_until="commit"
    )
    tap(page, "ten-off")
    held[0].continue_()
    page.wait_for_load_state("load")
    tap(page, "v-birthday")
    assert chosen(page) == ["v-birthday", "ten-off"]
    expect(page.get_by_role("button", name="Apply 2 rewards, save $25.00")).to_be_visible()


def apply(page: Page, reward: str) -> None:
    tap(page, reward)
    page.locator(f"[data-reward='{reward}']").get_by_role("button", name="Apply").click()


def expire(page: Page) -> None:
    Launch.objects.update(expires_at=timezone.now())


def lose_the_token(page: Page) -> None:
    page.context.clear_cookies(name="csrftoken")


@pytest.mark.parametrize(
    ("trouble", "code"), [(expire, "SESSION_EXPIRED"), (lose_the_token, "CSRF")], ids=["expired", "csrf"]
)
def test_an_expired_page_replaces_the_content(
    open_in_browser: Browse, trouble: Callable[[Page], None], code: str
) -> None:
    page = open_in_browser()
    trouble(page)
    apply(page, "ten-off")
    expect(page.locator("[data-error]")).to_have_attribute("data-error", code)
    expect(page.locator("body")).to_have_attribute("data-page", "refused")
    assert page.locator("main").count() == page.locator("#content").count() == 1
    assert page.locator("[data-points]").count() == 0
    expect(page.locator("h1")).to_be_focused()
    assert not Redemption.objects.exists()


def test_an_error_page_of_a_proxy_reloads_our_page(open_in_browser: Browse) -> None:
    page = open_in_browser()
    page.route(
        "**/redeem/", lambda route: route.fulfill(status=502, body="<html><h1>Bad Gateway</h1></html>")
    )
    with page.expect_navigation():
        apply(page, "ten-off")
    expect(page.locator("[data-points='820']")).to_be_visible()
    assert page.get_by_text("Bad Gateway").count() == 0


def test_a_tap_without_a_network_is_kept_and_goes_on_by_itself(open_in_browser: Browse) -> None:
    page = open_in_browser()
    page.context.set_offline(True)
    page.get_by_role("link", name="My shift").click()
    expect(page.locator("[data-points='820']")).to_be_visible()
    apply(page, "ten-off")
    expect(page.get_by_role("alert")).to_contain_text("There is no network, so nothing was sent.")
    assert chosen(page) == ["ten-off"]
    page.context.set_offline(False)
    expect(page.locator("#handoff")).to_be_visible()
    assert Redemption.objects.count() == 1


def test_a_tap_without_a_network_that_is_dropped_or_changed_is_not_sent(
    open_in_browser: Browse,
) -> None:
    page = open_in_browser()
    page.context.set_offline(True)
    apply(page, "ten-off")
    page.get_by_role("button", name="Do not send it").click()
    expect(page.get_by_role("alert")).to_contain_text("What you chose and typed stays here.")
    page.locator("[data-reward='ten-off']").get_by_role("button", name="Apply").click()
    tap(page, "v-birthday")
    expect(page.get_by_role("button", name="Do not send it")).to_be_hidden()
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()
    assert chosen(page) == ["v-birthday", "ten-off"]
    assert not Redemption.objects.exists()


def test_a_tap_whose_answer_is_lost_is_applied_once(open_in_browser: Browse) -> None:
    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page = open_in_browser(lambda page: page.route("**/redeem/", lose, times=1))
    apply(page, "ten-off")
    expect(page.locator("#handoff")).to_be_visible()
    assert Redemption.objects.get().state == State.REVEALED


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NewStoreUnavailable("timeout"), "NEWSTORE_UNAVAILABLE"),
        (NewStoreRejected("400"), "NEWSTORE_REJECTED"),
    ],
)
def test_a_refusal_is_shown_on_the_page_for_every_status(
    open_in_browser: Browse, newstore: Mint, error: NewStoreError, code: str
) -> None:
    page = open_in_browser()
    newstore.error = error
    apply(page, "ten-off")
    expect(page.locator(f"[role=alert][data-error={code}]")).to_be_focused()
    assert chosen(page) == ["ten-off"]


def test_a_slow_undo_shows_that_it_was_pressed(open_in_browser: Browse) -> None:
    page = open_in_browser()
    apply(page, "ten-off")
    expect(page.locator("#handoff")).to_be_visible()
    page = page.context.new_page()
    page.goto(f"{page.context.pages[0].url.partition('/applied')[0]}/")
    # The answer never comes. (Playwright looks at no page that is on its way.)
    page.evaluate("addEventListener('submit', (event) => event.preventDefault())")
    undo = page.get_by_role("button", name="Undo")
    before = undo.bounding_box()
    undo.click()
    expect(undo).not_to_have_css("opacity", "1")
    assert undo.bounding_box() == before, "nothing jumps"


def test_any_kind_of_press_shows_the_contact_for_some_seconds(open_in_browser: Browse) -> None:
    page = open_in_browser(lambda page: page.clock.install())
    page.clock.pause_at(timezone.now() + timedelta(seconds=30))  # no seconds but the test's
    # Its name is what it shows (WCAG 2.5.3), so that it can be called by that.
    masked = page.get_by_role("button", name="m•••@example.test Press to show name and contact", exact=True)
    shown = page.get_by_role("status").filter(has_text="Mia Stone, mia@example.test")
    assert "mia@example.test" not in page.content()
    masked.press("Enter")
    expect(shown).to_be_visible()
    expect(masked).to_be_focused()
    expect(masked).to_have_css("opacity", "0")
    page.clock.fast_forward("00:07")
    expect(shown).to_have_count(0)
    expect(masked).to_have_css("opacity", "1")
    assert "mia@example.test" not in page.content()


@pytest.mark.parametrize(
    ("left_s", "said"),
    [(200, ""), (118, "Two minutes left for this code"), (30, re.compile("0:(30|[12]\\d) left"))],
)
def test_the_remaining_time_that_is_announced_is_right_when_the_page_opens(
    open_in_browser: Browse, left_s: int, said: str | re.Pattern[str]
) -> None:
    page = open_in_browser()
    address = page.url.rstrip("/")
    apply(page, "ten-off")
    expect(page.locator("#handoff")).to_be_visible()
    row = Redemption.objects.get()
    Redemption.objects.update(code_expires_at=timezone.now() + timedelta(seconds=left_s + 1))
    # A page of its own: the first one is leaving for the app, which this browser does not have.
    later = page.context.new_page()
    later.goto(f"{address}/applied/{row.pk}/")
    expect(later.locator("[data-left]")).to_have_text(re.compile("left$"))
    expect(later.locator("[data-announce]")).to_have_text(said)


def test_a_card_that_the_choice_blocks_says_why_until_it_fits_again(
    open_in_browser: Browse, vendor: Vendor
) -> None:
    vendor.members[MIA.ref] = replace(MIA, balance=replace(MIA.balance, spendable=380))
    page = open_in_browser()
    tap(page, "fifteen-percent")
    card = page.locator("[data-reward='ten-off']")
    expect(card).to_contain_text("120 points too many with this choice")
    expect(card.locator("[name=chosen]")).to_be_disabled()
    tap(page, "fifteen-percent")
    expect(card.locator("[name=chosen]")).to_be_enabled()
    expect(card.locator("[data-obstacle]")).to_be_empty()


def test_the_points_stepper_gives_way_to_the_other_rewards(open_in_browser: Browse, vendor: Vendor) -> None:
    vendor.members[MIA.ref] = replace(MIA, balance=replace(MIA.balance, spendable=620))
    vendor.rewards = (*REWARDS, POINTS_AS_MONEY)
    page = open_in_browser()
    points = page.locator("[data-reward='points-as-money'] input[type=number]")
    tap(page, "points-as-money")
    points.fill("600")
    tap(page, "ten-off")
    # Of 620 points 200 are for the other reward: 400 in steps of 50 from 100, worth $20.
    expect(points).to_have_value("400")
    expect(page.get_by_role("button", name="Apply 2 rewards, save $30.00")).to_be_visible()
    assert page.locator("[data-mirror]").input_value() == "400"


def test_the_last_choice_counts_and_no_stale_figure_is_shown(open_in_browser: Browse) -> None:
    held: list[Route] = []
    page = open_in_browser()
    page.route("**/preview/", lambda route: held.append(route), times=3)
    button, fine = page.locator("#several .resting"), page.locator("#several .fine")
    for reward in ("ten-off", "v-birthday", "fifteen-percent"):
        with page.expect_request("**/preview/"):
            tap(page, reward)
    expect(button).to_have_text("Apply all that is chosen")
    expect(fine).to_be_hidden()
    held[2].continue_()
    expect(button).to_have_text("Apply 3 rewards, save $42.24")
    expect(fine).to_have_text("500 points. Not all of it can be undone")
    tap(page, "fifteen-percent")
    expect(button).to_have_text("Apply 2 rewards, save $25.00")


def test_without_a_preview_everything_can_be_chosen_and_no_saving_is_promised(
    open_in_browser: Browse, vendor: Vendor
) -> None:
    vendor.members[MIA.ref] = replace(MIA, balance=replace(MIA.balance, spendable=380))
    page = open_in_browser()
    tap(page, "fifteen-percent")
    expect(page.locator("[data-reward='ten-off'] [name=chosen]")).to_be_disabled()
    page.route("**/preview/", lambda route: route.abort())
    tap(page, "v-birthday")
    expect(page.locator("[data-reward='ten-off'] [name=chosen]")).to_be_enabled()
    expect(page.locator("[data-pending]")).to_have_count(0)
    expect(page.locator("#several .resting")).to_have_text("Apply all that is chosen")
    page.locator("#several .button").click()
    expect(page.locator("h1")).to_contain_text("2 rewards applied")


def test_two_free_products_of_one_item_are_not_promised_together(
    open_in_browser: Browse, vendor: Vendor
) -> None:
    free = Discount(kind=DiscountKind.PRODUCT, skus=("CAP-02",))
    vendor.rewards = tuple(
        Reward(reward_id=f"cap-{n}", title="Free cap", points=10, discount=free) for n in "ab"
    )
    page = open_in_browser()
    page.locator("[data-reward=cap-a] label").first.click()
    second = page.locator("[data-reward=cap-b]")
    expect(second.locator("[data-obstacle]")).to_have_text("Its product is chosen already")
    expect(second.locator("[name=chosen]")).to_be_disabled()


def test_the_points_that_the_others_leave_are_accepted(open_in_browser: Browse, vendor: Vendor) -> None:
    half_a_cent = PointsRange(minimum=1, maximum=5000, step=1, value_per_point=usd("0.005"))
    vendor.rewards = (REWARDS[0], replace(POINTS_AS_MONEY, points_range=half_a_cent))
    vendor.members[MIA.ref] = replace(MIA, balance=replace(MIA.balance, spendable=701))
    page = open_in_browser()
    page.locator("[data-reward=ten-off] label").first.click()
    page.locator("[data-reward=points-as-money] label").first.click()
    page.locator("#several .button").click()
    expect(page.locator("h1")).to_contain_text("2 rewards applied")
    assert Redemption.objects.get(kind="points").state == State.REVEALED


def test_the_page_says_whether_all_or_some_or_nothing_can_be_undone(
    open_in_browser: Browse, vendor: Vendor
) -> None:
    ten, fifteen = REWARDS[0], REWARDS[1]
    vendor.rewards = (ten, fifteen, replace(fifteen, reward_id="five-percent", title="5% off"))
    page = open_in_browser()
    fine = page.locator("#several .fine")
    for reward in ("fifteen-percent", "five-percent"):
        page.locator(f"[data-reward={reward}] label").first.click()
    expect(fine).to_have_text("600 points. Cannot be undone")
    page.locator("[data-reward=ten-off] label").first.click()
    expect(fine).to_have_text("800 points. Not all of it can be undone")
    for reward in ("fifteen-percent", "five-percent"):
        page.locator(f"[data-reward={reward}] label").first.click()
    expect(fine).to_have_text("200 points. Can be undone on the next page")
