"""Vendors are found by their line in the registry, wherever their packages are."""

import pytest

from providers import admin_pages, registry


def test_a_package_outside_of_providers_is_an_app_and_its_pages_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(registry.PROVIDERS, "plain", "tests.providers.stampcard.provider.StampcardProvider")
    monkeypatch.setitem(registry.PROVIDERS, "paged", "loyaltyview.ops.provider.Provider")  # it has a urls.py

    assert {"tests.providers.stampcard", "loyaltyview.ops"} <= set(registry.vendor_apps())
    urls = admin_pages.urls_of_vendors()
    assert (urls.get("paged"), urls.get("plain")) == ("loyaltyview.ops.urls", None)
    assert urls["pongo"] == "providers.pongo.urls"
