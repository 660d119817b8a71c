"""Tests every read of a vendor with answers that are errors with status 200."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import responses

from providers.base import Capability, LoyaltyProvider
from providers.errors import ProviderError, Rejected, RejectReason, Unsupported
from providers.types import Cart, MemberQuery, QueryKind

# Results that mean "there is none", on which a page would act.
CERTAIN = (RejectReason.MEMBER_NOT_FOUND, RejectReason.REWARD_NOT_FOUND)


def reads_of(provider: LoyaltyProvider, ref: str, cart: Cart) -> dict[str, Callable[[], Any]]:
    """Return the reads that this vendor makes over the network."""

    def find(kind: QueryKind, value: str) -> Callable[[], Any]:
        return lambda: provider.find_members(MemberQuery(kind=kind, value=value))

    reads: Mapping[Capability | None, dict[str, Callable[[], Any]]] = {
        None: {
            "find by id": find(QueryKind.MEMBER_ID, ref),
            "get_member": lambda: provider.get_member(ref),
            "list_rewards": lambda: provider.list_rewards(ref, cart),
            "list_vouchers": lambda: provider.list_vouchers(ref),
            "find_voucher": lambda: provider.find_voucher(ref, "CODE-1"),
            "check": provider.check,
        },
        Capability.EMAIL_LOOKUP: {"find by email": find(QueryKind.EMAIL, "mia@example.test")},
        Capability.PHONE_LOOKUP: {"find by phone": find(QueryKind.PHONE, "+16175550100")},
        Capability.CODE_LOOKUP: {"find by code": find(QueryKind.CODE, ref)},
        Capability.HISTORY: {"get_history": lambda: provider.get_history(ref)},
        Capability.STORES: {"list_stores": provider.list_stores},
        Capability.EARN_PREVIEW: {"preview_earn": lambda: provider.preview_earn(ref, cart)},
    }
    return {
        name: read
        for needed, named in reads.items()
        if needed is None or needed in provider.capabilities
        for name, read in named.items()
    }


def assert_an_error_is_one(
    provider: LoyaltyProvider, ref: str, cart: Cart, body: Any, *, without: tuple[str, ...] = ()
) -> None:
    """Fail for each read that takes `body`, answered with status 200, for a list of nothing or for a member
    who is gone. `without` names reads that make no call."""
    for name, read in reads_of(provider, ref, cart).items():
        if name in without:
            continue
        with responses.RequestsMock(assert_all_requests_are_fired=False) as vendor:
            for method in ("GET", "POST"):
                vendor.add(method, re.compile(".*"), json=body)
            with pytest.raises(ProviderError) as caught:
                print(name, read())  # noqa: T201 - seen where no error is raised
            assert vendor.calls, name
        error = caught.value
        assert not isinstance(error, Unsupported), name
        assert not (isinstance(error, Rejected) and error.reason in CERTAIN), name
