"""Scanning where the browser reads no codes, as in the host app on iOS: real pictures, and our own reader."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import segno
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, FilePayload, Page, expect

from tests.conftest import CHROMIUM_FLAGS

from .stack import Stack
from .test_pages import AA, OVERFLOW, SMALL_TARGETS, in_both_themes

pytestmark = [pytest.mark.browser, pytest.mark.once]

UNABLE = "delete window.BarcodeDetector;"
PHOTO = "#scanner input[type=file]"
WIDTH, HEIGHT, DOT = 640, 480, 8

Open = Callable[..., Page]


def expect_found(page: Page) -> None:
    """The voucher was looked up: it is the first card before as well, but has the focus only then."""
    card = page.locator("[data-reward]").first
    expect(card).to_have_attribute("data-reward", "ana-birthday")
    expect(card.locator("[name=chosen]")).to_be_focused()


def photo_of(text: str, ink: str = "black") -> FilePayload:
    """A QR code as a camera would hand it over: larger than needed, with a margin. None in white ink."""
    picture = io.BytesIO()
    segno.make(text, error="m").save(picture, kind="png", scale=40, border=12, dark=ink)
    return {"name": "photo.png", "mimeType": "image/png", "buffer": picture.getvalue()}


def film_of(text: str) -> bytes:
    """A camera's film in Y4M, one still picture: a QR code on grey, in the middle."""
    grey = [bytearray([140]) * WIDTH for _ in range(HEIGHT)]
    code = segno.make(text, error="m")
    rows = list(code.matrix_iter(scale=DOT, border=4))
    top, left = (HEIGHT - len(rows)) // 2, (WIDTH - len(rows[0])) // 2
    for at, row in enumerate(rows):
        grey[top + at][left : left + len(row)] = bytes(20 if dark else 230 for dark in row)
    colours = bytes([128]) * (WIDTH * HEIGHT // 2)
    head = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip C420jpeg\nFRAME\n"
    return head.encode() + b"".join(grey) + colours


@pytest.fixture(scope="module")
def browser_with_camera(
    browser: Browser, chromium_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A Chromium whose camera looks at Ana's birthday voucher."""
    film: Path = tmp_path_factory.mktemp("camera") / "voucher.y4m"
    film.write_bytes(film_of("ANA-BIRTHDAY"))
    flags = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    with_camera = browser.browser_type.launch(
        executable_path=chromium_path, args=[*CHROMIUM_FLAGS, *flags, "--use-fake-ui-for-media-stream"]
    )
    yield with_camera
    with_camera.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console says is wrong, such as what the policy of the page refuses."""
    return []


@pytest.fixture
def open_page(browser: Browser, stack: Stack, complaints: list[str]) -> Iterator[Open]:
    """Open the page of a customer's new cart. A complaint, and any other host asked, fails the test."""
    contexts: list[BrowserContext] = []
    asked: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # A page that answers 4xx on purpose is no complaint.
        if message.type == "error" and "the server responded with a status" not in message.text:
            complaints.append(message.text)

    def opened(
        customer: str,
        cart: str = "shirts",
        *,
        camera: Browser | None = None,
        init: str = UNABLE,
        **options: Any,
    ) -> Page:
        context = (camera or browser).new_context(**{"viewport": {"width": 390, "height": 844}, **options})
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(init)
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(stack.launch_url(customer, cart))
        expect(page.locator("[data-scan]")).to_be_visible()
        assert [url for url in asked if "/vendor/" in url] == []
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith((stack.web_url, "com.newstore", "data:"))] == []


def scan(page: Page) -> None:
    page.get_by_role("button", name="Scan the code").click()


def take_photo(page: Page, photo: FilePayload) -> None:
    scan(page)
    expect(page.get_by_role("status").get_by_text("The camera cannot be used here.")).to_be_visible()
    page.locator(PHOTO).set_input_files(photo)


def test_our_reader_reads_what_the_camera_sees(open_page: Open, browser_with_camera: Browser) -> None:
    page = open_page("ana", camera=browser_with_camera)
    with page.expect_response(re.compile(r"\.wasm$")) as answer:
        scan(page)
    expect_found(page)
    assert answer.value.headers["content-type"] == "application/wasm"


def test_a_photo_finds_the_member_where_the_camera_is_refused(open_page: Open) -> None:
    page = open_page("none", "scarf")
    take_photo(page, photo_of("ACME-000102"))
    expect(page.locator("h1")).to_have_text("Leo P.")


def test_a_browser_without_code_formats_uses_our_reader(open_page: Open) -> None:
    init = "window.BarcodeDetector = class { static async getSupportedFormats() { return [] } }"
    page = open_page("ana", init=init)
    take_photo(page, photo_of("ANA-BIRTHDAY"))
    expect_found(page)


def test_a_photo_without_a_code_says_so_and_another_may_follow(open_page: Open) -> None:
    page = open_page("ana")
    take_photo(page, photo_of("ANA-BIRTHDAY", ink="white"))
    status = page.locator("#scanner [role=status]")
    expect(status).to_contain_text("No code was found in the photo.")
    page.locator(PHOTO).set_input_files({"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"no"})
    expect(status).to_contain_text("No code was found in the photo.")
    page.locator(PHOTO).set_input_files(photo_of("ANA-BIRTHDAY"))
    expect_found(page)


def test_a_code_of_no_member_is_shown_as_it_was_read(open_page: Open) -> None:
    page = open_page("none", "scarf")
    take_photo(page, photo_of("https://club.example/c/99"))
    expect(page.get_by_text("Looked for https://club.example/c/99.")).to_be_visible()
    expect(page.locator("#q")).to_have_value("https://club.example/c/99")


def test_a_voucher_that_is_unknown_is_shown_as_it_was_read(open_page: Open) -> None:
    page = open_page("mia")
    take_photo(page, photo_of("SPRING-24-XYZ"))
    expect(page.locator("#voucher-problem")).to_be_visible()
    expect(page.locator("#voucher-code")).to_have_value("SPRING-24-XYZ")


def test_without_camera_and_photo_the_code_is_typed(open_page: Open) -> None:
    page = open_page("none", "scarf")
    scan(page)
    expect(page.locator(PHOTO)).to_be_enabled()
    page.get_by_role("button", name="Type it instead").click()
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("ACME-000102")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Leo P.")


def test_a_reader_that_could_not_be_loaded_is_loaded_again(open_page: Open, complaints: list[str]) -> None:
    page = open_page("ana")
    page.route(re.compile(r"\.wasm$"), lambda route: route.abort())
    scan(page)
    expect(page.get_by_text("Codes cannot be read right now.")).to_be_visible()
    expect(page.locator(PHOTO)).to_be_hidden()
    page.get_by_role("button", name="Type it instead").click()
    complaints.clear()
    page.unroute_all()
    take_photo(page, photo_of("ANA-BIRTHDAY"))
    expect_found(page)


def test_where_nothing_can_read_codes_there_is_no_scan_button(browser: Browser, stack: Stack) -> None:
    for how in ({"init": UNABLE + "delete window.WebAssembly"}, {"java_script_enabled": False}):
        init = how.pop("init", "")
        context = browser.new_context(**how)  # type: ignore[arg-type]
        page = context.new_page()
        page.add_init_script(str(init))
        page.goto(stack.launch_url("mia"))
        expect(page.locator("#voucher-code")).to_be_visible()
        expect(page.locator("[data-scan]")).to_be_hidden()
        context.close()


@pytest.mark.parametrize("size", [(390, 844), (320, 568)], ids=["phone", "small"])
def test_the_scanner_is_accessible_and_fits(open_page: Open, size: tuple[int, int]) -> None:
    page = open_page("mia", viewport={"width": size[0], "height": size[1]})
    scan(page)
    expect(page.locator(PHOTO)).to_be_enabled()
    for _theme in in_both_themes(page):
        found = Axe().run(page, context="#scanner", options=AA)
        assert found.violations_count == 0, found.generate_report()
    assert page.evaluate(OVERFLOW) <= 0
    assert page.evaluate(SMALL_TARGETS) == []
    expect(page.get_by_role("button", name="Type it instead")).to_be_in_viewport(ratio=1)
    # As high as what is in it; WebKit needs both said, or it fills the screen.
    dialog = page.locator("#scanner")
    expect(dialog).to_have_css("align-content", "start")
    box = dialog.bounding_box()
    assert box
    assert box["height"] < 300
