"""Credentials, budget, busy records: every error class, each by the answer that stands for it."""

import pytest
import responses

from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.errors import AuthFailed, ProviderError, RateLimited, Unavailable, UnexpectedAnswer
from providers.types import MemberQuery, QueryKind
from providers.yotpo.client import pause_of
from providers.yotpo.provider import YotpoProvider
from tests.providers.yotpo.build import CART, MIA, TEN_OFF, make_intent, points_of
from tests.providers.yotpo.conftest import SECRET, Build

QUERY = MemberQuery(kind=QueryKind.EMAIL, value=MIA)


@pytest.mark.parametrize("wrong", ["guid", "api_key"])
def test_wrong_credentials_are_an_administrators_matter(build: Build, wrong: str) -> None:
    provider = build(**{wrong: "another"})

    for call in (lambda: provider.check(), lambda: provider.find_members(QUERY)):
        with pytest.raises(AuthFailed):
            call()


def test_credentials_are_in_headers_and_nowhere_else(provider: YotpoProvider, address: str) -> None:
    with responses.RequestsMock() as vendor:
        vendor.get(f"{address}/customers", status=404, json={})
        provider.find_members(MemberQuery(kind=QueryKind.PHONE, value="+16175550100"))
        (call,) = vendor.calls
    assert call.request.headers["x-guid"] == call.request.headers["x-api-key"] == SECRET
    assert SECRET not in (call.request.url or "")
    assert "phone_number=%2B16175550100" in (call.request.url or "")


def test_the_check_names_the_account_without_its_secrets(provider: YotpoProvider) -> None:
    assert provider.check().account == "GUID …ey-1 (3 tiers)"


def test_a_vendor_that_is_down_is_unavailable(provider: YotpoProvider, yotpo: Yotpo) -> None:
    yotpo.faults.is_down = True

    with pytest.raises(Unavailable):
        provider.find_members(QUERY)


def test_a_throttled_read_waits_as_told(provider: YotpoProvider, yotpo: Yotpo, pauses: list[float]) -> None:
    yotpo.faults.is_throttled = True

    with pytest.raises(RateLimited) as caught:
        provider.find_members(QUERY)
    assert caught.value.retry_after_s == 1
    assert len(pauses) <= 2


@pytest.mark.parametrize("times", [1, 2])
def test_a_busy_record_is_tried_again(
    provider: YotpoProvider, yotpo: Yotpo, mia: str, pauses: list[float], times: int
) -> None:
    yotpo.busy = times

    provider.spend(make_intent(mia, TEN_OFF, 200))

    assert pauses == [0.3, 1.0][:times]
    assert points_of(provider, mia) == (620, 0)


def test_a_record_that_stays_busy_is_left_alone(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    yotpo.busy = 3

    with pytest.raises(Unavailable):
        provider.spend(make_intent(mia, TEN_OFF, 200))
    assert points_of(provider, mia) == (820, 0)


def test_a_throttled_write_is_sent_again_and_done_once(
    provider: YotpoProvider, yotpo: Yotpo, mia: str, address: str, pauses: list[float]
) -> None:
    provider.list_rewards(mia, CART)
    with responses.RequestsMock() as vendor:
        vendor.post(f"{address}/redemptions", status=429, headers={"ratelimit-reset": "1"})
        vendor.post(f"{address}/redemptions", json={"id": 1, "reward_text": "LOY-1"})
        assert provider.spend(make_intent(mia)).provider_ref == "LOY-1"
    assert pauses == [1.0]


@pytest.mark.parametrize("body", ["", "<html>", "[]", "null", '{"email": "mia@example.test"}'])
def test_a_customer_that_cannot_be_read_is_unexpected(
    provider: YotpoProvider, address: str, body: str
) -> None:
    with responses.RequestsMock() as vendor:
        vendor.get(f"{address}/customers", body=body)
        with pytest.raises(UnexpectedAnswer):
            provider.find_members(QUERY)


def test_a_wrapped_customer_is_read_too(provider: YotpoProvider, address: str) -> None:
    record = {"email": MIA, "points_balance": "820", "thirty_party_id": 4411}
    with responses.RequestsMock() as vendor:
        vendor.get(f"{address}/customers", json={"customers": record})
        (member,) = provider.find_members(QUERY)
    assert (member.ref, member.balance.spendable) == ("id:4411", 820)


@pytest.mark.parametrize("path", ["redemption_options", "vip_tiers"])
def test_a_list_that_is_none_is_unexpected(
    provider: YotpoProvider, address: str, mia: str, path: str
) -> None:
    with responses.RequestsMock() as vendor:
        vendor.get(f"{address}/{path}", json={"error": "odd"})
        with pytest.raises(ProviderError):
            provider.check() if path == "vip_tiers" else provider.list_rewards(mia, CART)


@pytest.mark.parametrize(
    ("headers", "pause_s"),
    [
        ({"ratelimit-remaining": "0", "ratelimit-reset": "2"}, 2.0),
        ({"ratelimit-remaining": "3", "ratelimit-reset": "2"}, 0.0),
        ({"ratelimit-remaining": "many", "ratelimit-reset": "2"}, 0.0),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "nan"}, 0.0),
        ({"ratelimit-remaining": "0"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_vendors_own_count_is_believed(headers: dict[str, str], pause_s: float) -> None:
    assert pause_of(headers) == pause_s


def test_the_rate_of_an_account_is_kept_over_real_http(build: Build, yotpo: Yotpo) -> None:
    yotpo.rate.rate_limit_per_s = 3
    provider = build(rate_per_s=50)

    found = [provider.find_members(QUERY) for _ in range(4)]

    assert all(len(members) == 1 for members in found)
