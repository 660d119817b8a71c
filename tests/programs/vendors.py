"""A vendor for the tests of programs: it has a setting of every type and can be told to fail its check."""

from decimal import Decimal
from typing import Any, ClassVar

from providers.base import LoyaltyProvider, SettingSpec
from providers.errors import ProviderError
from providers.types import CheckResult


class TestVendor(LoyaltyProvider):
    """Only what programs use of a vendor: its settings and "Test connection"."""

    __test__ = False
    kind = "testvendor"
    capabilities = frozenset()
    setting_specs = (
        SettingSpec(name="base_url", required=True, help="Address of the API."),
        SettingSpec(name="api_key", required=True, is_secret=True),
        SettingSpec(name="rate", type=Decimal, default=Decimal("0.01")),
        SettingSpec(name="page_size", type=int, default=50),
        SettingSpec(name="is_test", type=bool, default=False),
        SettingSpec(name="names", type=dict, default={}),
    )
    failure: ClassVar[ProviderError | None] = None
    checked_with: ClassVar[list[dict[str, Any]]] = []

    def check(self) -> CheckResult:
        if self.failure:
            raise self.failure
        self.checked_with.append(dict(self.config.settings))
        return CheckResult(account="acme-test", latency_ms=12)

    find_members = get_member = list_rewards = list_vouchers = find_spend = None  # type: ignore[assignment]
    spend = release = confirm = record_order = record_return = cancel_order = None  # type: ignore[assignment]
