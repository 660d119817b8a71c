"""The marks that a worker process of the tests writes into the folder MARKS: a line in `earned` for each
order that it reported to the vendor, and one in `counted` for each run of its periodic work.

In a process with HANGS=1 a call to the vendor never returns. With REMOTE=1 the vendor is none of our own
database, so each event goes alone. The product has no code for these tests.
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
        from loyaltyview.work.registry import every
        from providers.house.provider import HouseProvider

        # Due when the first worker starts, and not again in this decade.
        every("count", 10**9, lambda: mark("counted", str(os.getpid())))
        HouseProvider.is_local = not os.environ.get("REMOTE")
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
