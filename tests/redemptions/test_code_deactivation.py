"""Which codes are queued to be switched off at NewStore."""

from collections.abc import Callable

import pytest

from loyaltyview.newstore.errors import NewStoreUnavailable
from loyaltyview.newstore.models import UsedCode
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.code_deactivation import queue_used_codes
from loyaltyview.redemptions.commands import RedeemRequest
from loyaltyview.redemptions.models import Redemption
from loyaltyview.redemptions.orders import detach_dropped_codes, use_codes
from loyaltyview.redemptions.release import undo
from loyaltyview.redemptions.saga import redeem

from .conftest import KIM, Mint
from .memory_provider import Ledger


@pytest.fixture
def applied(tap: Callable[..., RedeemRequest], vendor: Ledger, newstore: Mint) -> Redemption:
    Program.objects.update(newstore_disable_codes=True)
    return redeem(tap())


def queued() -> list[str]:
    queue_used_codes()
    return list(UsedCode.objects.filter(due_at__isnull=False).values_list("code", flat=True))


def test_a_code_in_the_cart_is_not_queued(applied: Redemption) -> None:
    assert queued() == []


def test_a_used_code_is_queued_once_with_its_coupons_name(program: Program, applied: Redemption) -> None:
    use_codes(program, order_id="o-1", codes=(applied.code,))
    assert queued() == queued() == [applied.code]
    assert UsedCode.objects.get().coupon_name.startswith("$10 off - 10 USD (")


def test_a_code_taken_out_of_its_order_leaves_the_queue(program: Program, applied: Redemption) -> None:
    use_codes(program, order_id="o-1", codes=(applied.code,))
    assert queued() == [applied.code]
    detach_dropped_codes(program, order_id="o-1", codes=())
    assert queued() == []


def test_a_code_that_was_given_back_is_queued(applied: Redemption) -> None:
    undo(applied.pk, KIM)
    assert queued() == [applied.code]


def test_nothing_is_queued_where_the_program_has_no_coupon_list(
    program: Program, applied: Redemption
) -> None:
    Program.objects.update(newstore_disable_codes=False)
    use_codes(program, order_id="o-1", codes=(applied.code,))
    assert queued() == []


def test_a_refused_coupon_names_newstores_request_for_its_support(
    tap: Callable[..., RedeemRequest], vendor: Ledger, newstore: Mint
) -> None:
    newstore.error = NewStoreUnavailable("500", "req-77")
    assert redeem(tap()).refusal_text == "(NewStore req-77)"
