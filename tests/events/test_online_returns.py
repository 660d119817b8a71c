"""Goods of a web order that come back in a store: the web shop reported the order, we report the return."""

import pytest

from loyaltyview.events.models import ReturnRecord, ReturnState
from providers.base import Capability
from providers.sales import PointsChange, Return

from .conftest import Deliver
from .deliveries import completed, order, returned
from .vendor import Books, MemoryVendor


def play(deliver: Deliver, work: object) -> None:
    deliver("order.opened", order(channel_type="web", channel="shop"))
    deliver("order.completed", completed())
    deliver("return.processed", returned(45.0))
    work()  # type: ignore[operator]


def test_a_vendor_that_knows_the_web_order_takes_its_return_under_the_shops_number(
    deliver: Deliver, work: object, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record_return(self: MemoryVendor, ret: Return) -> PointsChange:
        books.returns[ret.return_id] = ret
        return PointsChange(points=None)

    monkeypatch.setattr(MemoryVendor, "record_return", record_return)
    monkeypatch.setattr(MemoryVendor, "capabilities", MemoryVendor.capabilities | {Capability.ONLINE_RETURN})
    play(deliver, work)
    assert books.returns["return-1"].reported_as == "ACM000123"
    assert ReturnRecord.objects.get().state == ReturnState.DONE


def test_a_vendor_without_online_returns_is_not_called(deliver: Deliver, work: object, books: Books) -> None:
    play(deliver, work)
    assert books.calls["record_return"] == 0
    assert ReturnRecord.objects.get().state == ReturnState.NOTHING
