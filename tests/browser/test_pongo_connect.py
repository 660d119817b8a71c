"""A merchant connects with Pongo from admin, in a real browser: refuses, allows, maps, subscribes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .stack import Stack, running_stack

pytestmark = [pytest.mark.browser, pytest.mark.once]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("pongo")
    return folder


@pytest.fixture(scope="module")
def pongo(folder: Path) -> Iterator[Stack]:
    with running_stack(folder, "pongo") as stack:
        yield stack


@pytest.fixture
def admin(browser: Browser, pongo: Stack, folder: Path) -> Iterator[Page]:
    """The program's page at Pongo, reached as an administrator would."""
    lines = (folder / "demo.env").read_text().splitlines()
    password = dict(line.split("=", 1) for line in lines)["DEMO_ADMIN_PASSWORD"]
    page = browser.new_page()
    page.goto(f"{pongo.web_url}/admin/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", password)
    page.click("[type=submit]")
    page.goto(f"{pongo.web_url}/admin/programs/program/")
    page.get_by_role("link", name="Acme Club").click()
    page.click("#vendor-page")
    yield page
    page.close()


def test_a_merchant_refuses_then_allows_and_is_connected(admin: Page) -> None:
    expect(admin.locator("#merchant")).to_contain_text("token pasted")

    admin.click("#connect")
    expect(admin.locator("body[data-page=consent]")).to_contain_text("Connect Acme Clothing?")
    admin.get_by_role("button", name="Refuse").click()
    expect(admin.locator(".messagelist")).to_contain_text("was not allowed to connect")

    admin.click("#connect")
    admin.get_by_role("button", name="Allow").click()
    expect(admin.locator(".messagelist")).to_contain_text("Connected to Acme Clothing.")
    expect(admin.locator("[data-state=connected] #merchant")).to_contain_text("Since")
    assert "code=" not in admin.url

    admin.get_by_role("button", name="Subscribe", exact=True).click()
    expect(admin.locator(".messagelist")).to_contain_text("sends its events")
    expect(admin.locator("#their-stores")).to_contain_text("Acme Boston (boston-1)")
    expect(admin.locator("#unmapped")).to_have_count(0)
