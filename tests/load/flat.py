"""The associate's pages with few rows and with many: `python -m tests.load.rows --flat`.

One process a database, in turns. NewStore makes codes in this process, and the house program is the vendor,
so that nothing but our own code and the database is timed.
"""

import itertools
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

ROUNDS = 3
TIMES = 15


def compare(few: str, many: str) -> None:
    """Time each step on both databases in turns; print the medians and the ratio."""
    found: dict[str, dict[str, list[float]]] = {}
    for url in (few, many) * ROUNDS:
        output = subprocess.run(
            [sys.executable, "-m", "tests.load.flat"],
            env={**os.environ, "DATABASE_URL": url},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for step, took in json.loads(output).items():
            found.setdefault(step, {}).setdefault(url, []).append(took)
    for step, by_url in found.items():
        small, large = (statistics.median(by_url[url]) for url in (few, many))
        print(f"{step:8} {small:7.1f} ms with few rows {large:7.1f} ms with many  ratio {large / small:.2f}")  # noqa: T201


def measure() -> dict[str, float]:
    """Return the median milliseconds of each step. Each time it is another member's, at another till."""
    import django

    django.setup()
    from django.utils import timezone

    from loyaltyview.newstore.coupons import MintedCode
    from loyaltyview.programs.models import Program
    from loyaltyview.redemptions import saga
    from providers.house.models import Member, Reward

    Program.objects.update(newstore_check_carts=False)
    price = {"title": "10 off", "kind": "fixed", "amount": 10, "cost": 50}
    Reward.objects.get_or_create(program="acme", reward_id="ten-off", defaults=price)
    numbers = itertools.count(int(time.time() * 1000))
    saga.mint_code = lambda *_given: MintedCode(  # type: ignore[assignment]
        code=f"LOAD{next(numbers)}", expires_at=timezone.now() + timedelta(minutes=15)
    )
    program = Program.objects.get(slug="acme")
    found: dict[str, list[float]] = {}
    members = Member.objects.filter(program="acme", spendable__gte=200).order_by("pk")
    for turn, member in enumerate(members[: TIMES + 3]):
        for step, took in visit(program, member, next(numbers)):
            if turn >= 3:  # the process is warm
                found.setdefault(step, []).append(took)
    return {step: statistics.median(times) for step, times in found.items()}


def visit(program: Any, member: Any, number: int) -> Iterator[tuple[str, float]]:
    """Yield what one associate waits for, from the launch to the list of their shift."""
    from django.test import Client

    from loyaltyview.newstore.context import Associate
    from loyaltyview.newstore.identity import issue_identity

    client = Client(SERVER_NAME="127.0.0.1")
    kim = Associate(associate_id=f"a-{number}", device_id="ipad-1")
    cart = {"cartId": f"cart-{number}", "customerEmail": member.email, "cartTotal": 129.9, "currency": "USD",
            "items": [{"productId": "TOTE-01", "itemId": "i-1", "price": 129.9}]}  # fmt: skip
    params = {"token": "t" * 32, "externalIdentity": issue_identity(program, kim), "store": "S-1",
              "cart": json.dumps(cart)}  # fmt: skip
    took, answer = timed(lambda: client.get("/launch/acme/", params))
    yield "launch", took
    page = answer["Location"]
    took, answer = timed(lambda: client.get(page))
    yield "page", took
    yield "history", timed(lambda: client.get(f"{page}history/"))[0]
    yield "find", timed(lambda: client.post(f"{page}find/", {"q": member.phone}))[0]
    form = {"key": uuid.uuid4().hex, "kind": "reward", "item": "ten-off"}
    took, answer = timed(lambda: client.post(f"{page}redeem/", form))
    assert answer.status_code == 303, answer.content.decode()
    yield "tap", took
    took, answer = timed(lambda: client.get(f"{page}shift/"))
    assert "10 off" in answer.content.decode()
    yield "shift", took


def timed(ask: Callable[[], Any]) -> tuple[float, Any]:
    """Return the milliseconds until the answer is complete, and the answer."""
    started = time.perf_counter()
    answer = ask()
    if answer.streaming:
        b"".join(answer.streaming_content)
    assert answer.status_code < 400, answer.status_code
    return (time.perf_counter() - started) * 1000, answer


if __name__ == "__main__":
    json.dump(measure(), sys.stdout)
