"""For any goods and rewards, the lines of an order add up to its amount."""

from hypothesis import given
from hypothesis import strategies as st

from providers.journal.models import Write
from providers.pongo.order_body import order_body
from providers.pongo.settings import NAMES
from tests.providers.pongo.intents import a_line, an_order

SKUS = st.sampled_from(["TOTE-01", "SHIRT-01", "SOCKS-01"])
LINES = st.lists(st.tuples(SKUS, st.integers(0, 50_000), st.integers(1, 4)), max_size=6)
REWARDS = st.lists(st.tuples(st.lists(SKUS, max_size=2), st.integers(0, 5_000)), max_size=4)


@given(lines=LINES, rewards=REWARDS, total=st.integers(0, 200_000))
def test_the_lines_add_up_and_name_each_reward_once(
    lines: list[tuple[str, int, int]], rewards: list[tuple[list[str], int]], total: int
) -> None:
    order = an_order(
        base=f"{total / 100:.2f}",
        lines=tuple(
            a_line(f"l{at}", sku, f"{cents / 100:.2f}", quantity)
            for at, (sku, cents, quantity) in enumerate(lines)
        ),
    )
    rows = [
        Write(pk=at, detail={"reward": f"rew_{at}", "skus": skus, "saving_cents": saving})
        for at, (skus, saving) in enumerate(rewards)
    ]

    body = order_body(order, rows, NAMES)

    assert sum(line["amount"] for line in body["lines"]) == body["amount"] == total
    named = [line["reward_id"] for line in body["lines"] if line["reward_id"]]
    assert sorted(named) == sorted(body["reward_ids"]) == [row.detail["reward"] for row in rows]
    sold = sum(
        line["quantity"] for line in body["lines"] if line["sku"] in ("TOTE-01", "SHIRT-01", "SOCKS-01")
    )
    assert sold == sum(quantity for _sku, _cents, quantity in lines)


def test_the_product_that_the_customer_chose_is_free_in_the_order() -> None:
    lines = (a_line("l1", "TOTE-01", "24.00"), a_line("l2", "SOCKS-01", "12.50"))
    chosen = Write(pk=1, detail={"reward": "rew_1", "skus": ["TOTE-01"], "saving_cents": 2400})
    body = order_body(an_order(base="12.50", lines=lines), [chosen], NAMES)
    free = [(line["sku"], line["amount"]) for line in body["lines"] if line["reward_id"]]
    assert free == [("TOTE-01", 0)]
