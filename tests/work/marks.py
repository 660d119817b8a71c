"""What a worker process of the tests leaves in the folder MARKS: a line in `earned` for each order that its
vendor was told of, and one in `counted` for each run of its periodic.

A process with HANGS=1 never comes back from the vendor. No line of the product knows.
"""

import os
import time
from functools import wraps
from pathlib import Path
from typing import Any

from django.apps import AppConfig


class Marks(AppConfig):
    name = "tests.work"
    label = "marks"

    def ready(self) -> None:
        from loyaltyview.work.sources import every
        from providers.house.provider import HouseProvider

        # Due when the first worker starts, and not again in this decade, whatever hour strikes meanwhile.
        every("count", 10**9, lambda: mark("counted", str(os.getpid())))
        record_order = HouseProvider.record_order

        @wraps(record_order)
        def marked(self: HouseProvider, order: Any) -> Any:
            change = record_order(self, order)
            mark("earned", order.order_id)
            while os.environ.get("HANGS"):
                time.sleep(60)
            return change

        HouseProvider.record_order = marked  # type: ignore[method-assign]


def mark(name: str, line: str) -> None:
    with (Path(os.environ["MARKS"]) / name).open("a") as file:
        file.write(f"{line}\n")
