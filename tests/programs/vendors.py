"""A vendor for the tests of programs: it has a setting of every type and can be told to fail its check."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from providers.base import LoyaltyProvider
from providers.errors import ProviderError
from providers.settings import VendorSettings, setting
from providers.types import CheckResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    rating: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(VendorSettings):
    base_url: str = setting(required=True, help="Address of the API.")
    api_key: str = setting(required=True, is_secret=True)
    rate: Decimal = setting(default=Decimal("0.01"))
    page_size: int = setting(default=50)
    is_test: bool = setting(default=False)
    names: Mapping[str, str] = setting(default={})
    unit: str = setting(default="points", choices=("points", "miles"))
    shops: Mapping[str, Shop] = setting()


class TestVendor(LoyaltyProvider):
    """Only what programs use of a vendor: its settings and "Test connection"."""

    __test__ = False
    kind = "testvendor"
    capabilities = frozenset()
    settings_class = Settings
    failure: ClassVar[ProviderError | None] = None
    checked_with: ClassVar[list[dict[str, Any]]] = []

    def check(self) -> CheckResult:
        if self.failure:
            raise self.failure
        self.checked_with.append(dict(self.config.settings))
        return CheckResult(account="acme-test", latency_ms=12)

    find_members = get_member = list_rewards = list_vouchers = find_spend = None  # type: ignore[assignment]
    spend = release = confirm = record_order = record_return = cancel_order = None  # type: ignore[assignment]
