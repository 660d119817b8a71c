"""Apps that slow the house program down, or add vendors."""

import os
import time
from functools import wraps
from typing import Any

from django.apps import AppConfig


class HttpVendors(AppConfig):
    """Adds the vendors of `stampcard_vendors.py`."""

    name = "tests.load"
    label = "http_vendors"

    def ready(self) -> None:
        from providers.registry import PROVIDERS

        PROVIDERS["stampcard"] = "tests.load.stampcard_vendors.JournalVendor"
        PROVIDERS["plain"] = "tests.load.stampcard_vendors.PlainVendor"


class ReadingVendors(AppConfig):
    """Adds the vendors of `reading_vendor.py`: the tests' example vendor over HTTP, and one in memory."""

    name = "tests.load"
    label = "reading_vendors"

    def ready(self) -> None:
        from providers.registry import PROVIDERS

        PROVIDERS["stampcard"] = "tests.providers.stampcard.provider.StampcardProvider"
        PROVIDERS["memory"] = "tests.load.memory_vendor.InMemory"


class SlowHouse(AppConfig):
    """The house program; it takes VENDOR_S seconds longer to record an order."""

    name = "tests.load"
    label = "slow_house"

    def ready(self) -> None:
        from providers.house.provider import HouseProvider

        record_order = HouseProvider.record_order

        @wraps(record_order)
        def slow(self: HouseProvider, order: Any) -> Any:
            time.sleep(float(os.environ.get("VENDOR_S", 0)))
            return record_order(self, order)

        HouseProvider.record_order = slow  # type: ignore[method-assign]
