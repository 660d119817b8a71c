"""Always-on offers: read as the member, used without a call, and named in the sale."""

from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from loyaltyview.sandbox.vendors.whitelabel import sample
from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers import clock
from providers.errors import AuthFailed, Rejected, RejectReason, SettingsError, Unsupported
from providers.journal.models import Write
from providers.sales import Finding, SpendIntent, SpendKind
from providers.types import Consents, Discount, MemberProfile, Voucher
from providers.whitelabel.client import Client, Refused
from providers.whitelabel.provider import WhiteLabelProvider
from providers.whitelabel.tokens import user_token
from tests.providers.whitelabel.build import SECRET, fixed, intent, order, usd
from tests.providers.whitelabel.conftest import Build

AS_MEMBER = {
    "offers": "as_member",
    "user_token_key": SECRET,
    "user_token_issuer": sample.USER_ISSUER,
}
THREE_OFF = replace(fixed("3.00"), minimum=usd("30.00"))


@pytest.fixture
def provider(build: Build) -> WhiteLabelProvider:
    return build(**AS_MEMBER)


def offers(provider: WhiteLabelProvider, ref: str) -> dict[str, Voucher]:
    return {each.title: each for each in provider.list_vouchers(ref) if each.is_offer}


def offer_intent(ref: str, key: str = "key-1", discount: Discount = THREE_OFF) -> SpendIntent:
    return intent(ref, SpendKind.OFFER, key, sample.fixed_id("reward-$3 off from $30"), 0, discount)


def test_each_member_sees_the_offers_that_the_engine_gives_them(
    provider: WhiteLabelProvider, mia: str, ana: str
) -> None:
    assert set(offers(provider, mia)) == {"Welcome offer", "$3 off from $30"}
    assert set(offers(provider, ana)) == {"Welcome offer", "$3 off from $30", "Staff: 20% off"}
    assert offers(provider, mia)["$3 off from $30"].discount == THREE_OFF
    assert not offers(provider, mia)["Welcome offer"].is_final


def test_read_as_an_administrator_what_has_an_audience_is_left_out(build: Build, ana: str) -> None:
    assert set(offers(build(offers="as_admin"), ana)) == {"Welcome offer", "$3 off from $30"}


def test_a_program_without_offers_reads_none(build: Build, ana: str) -> None:
    assert offers(build(), ana) == {}


def test_a_member_who_never_logged_in_has_none(provider: WhiteLabelProvider) -> None:
    noor = provider.enrol(MemberProfile(email="noor@example.test", first_name="Noor"), Consents())
    assert offers(provider, noor.ref) == {}


@pytest.mark.parametrize(
    "row",
    [
        {"availability": {"start": "2199-01-01T00:00:00.000Z", "end": None}},
        {"availability": {"start": "2019-01-01T00:00:00.000Z", "end": "2020-01-01T00:00:00.000Z"}},
        {"redemptionChannels": ["ONLINE"]},
        {"tier": {"id": sample.TIERS[2]["id"]}},
        {"purchasable": True},
        {"discounts": []},
    ],
)
def test_an_offer_that_cannot_be_used_now_is_not_shown(
    build: Build, vendor: WhiteLabel, mia: str, row: dict[str, Any]
) -> None:
    vendor.state.reward_named("Welcome offer").update(row)
    assert "Welcome offer" not in offers(build(offers="as_admin"), mia)


def test_an_engine_that_refuses_our_token_takes_nothing_from_the_vouchers(
    provider: WhiteLabelProvider, vendor: WhiteLabel, ana: str
) -> None:
    provider.check()
    vendor.user_issuer = "https://another.example/"
    assert offers(provider, ana) == {}
    assert provider.list_vouchers(ana)
    assert vendor.tokens_given == 1, "the administrator's token was not at fault"
    with pytest.raises(AuthFailed):
        provider.check()


def test_an_engine_that_refuses_to_list_offers_takes_nothing_from_the_vouchers(
    provider: WhiteLabelProvider, ana: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise Refused("list_offers", 404, "user not found")

    monkeypatch.setattr(Client, "rows_as", refuse)
    assert provider.list_vouchers(ana)
    assert offers(provider, ana) == {}


def test_the_connection_is_tested_as_a_member_who_has_a_login(
    provider: WhiteLabelProvider, vendor: WhiteLabel
) -> None:
    vendor.user_issuer = "https://another.example/"
    provider.enrol(MemberProfile(email="noor@example.test", first_name="Noor"), Consents())
    with pytest.raises(AuthFailed):
        provider.check()


def test_offers_behind_a_hundred_rewards_are_found_where_no_filter_is_known(
    build: Build, vendor: WhiteLabel, mia: str
) -> None:
    template = vendor.state.reward_named("Museum ticket")
    found = {f"reward-{n}": {**template, "id": f"reward-{n}"} for n in range(120)}
    vendor.state.rewards = {**vendor.state.rewards, **found}
    assert offers(build(**AS_MEMBER, names={"filter_type": ""}), mia)


def test_an_offer_is_used_in_any_number_of_carts_without_a_call(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    before = len(vendor.state.events)
    for key in ("key-1", "key-2"):
        spend = provider.spend(offer_intent(mia, key))
        assert (spend.points, spend.is_held) == (0, False)
        assert provider.find_spend(offer_intent(mia, key)).spend == spend
        assert provider.spend(offer_intent(mia, key)) == spend
    assert len(vendor.state.events) == before
    assert "$3 off from $30" in offers(provider, mia)


def test_an_offer_is_taken_back_as_often_as_asked_and_has_no_parts(
    provider: WhiteLabelProvider, mia: str
) -> None:
    spend = provider.spend(offer_intent(mia))
    for _ in range(2):
        provider.release(spend)
    assert Write.objects.get().state == "undone"
    with pytest.raises(Unsupported):
        provider.release_part(spend, 1, "return-1")
    assert provider.get_history(mia).movements[0].text == "Redeemed and given back: $3 off from $30"


def test_a_tap_that_was_interrupted_used_no_offer(provider: WhiteLabelProvider, mia: str) -> None:
    Write.objects.create(vendor="whitelabel", program="acme", kind="spend", key="key-1", member_ref=mia,
                         item_kind="offer", state="sent", sent_at=clock.now(), shown_before={})  # fmt: skip
    assert provider.find_spend(offer_intent(mia)).finding is Finding.DID_NOT


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"discounts": [sample.discount("ABSOLUTE", 200)]}, RejectReason.PRICE_CHANGED),
        ({"purchasableForAudiences": [{"id": sample.STAFF}]}, RejectReason.REWARD_NOT_FOUND),
    ],
)
def test_an_offer_that_changed_since_it_was_shown_is_refused(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, change: dict[str, Any], reason: RejectReason
) -> None:
    vendor.state.reward_named("$3 off from $30").update(change)
    with pytest.raises(Rejected) as caught:
        provider.spend(offer_intent(mia))
    assert caught.value.reason is reason


@pytest.mark.parametrize("sales", ["events", "receipts"])
def test_the_sale_names_its_offers(
    build: Build, address: str, vendor: WhiteLabel, mia: str, sales: str
) -> None:
    provider = build(**AS_MEMBER, sales=sales, receipts_url=f"{address}/receipts/v1")
    spend = provider.spend(offer_intent(mia))
    provider.confirm(spend, order(mia, spends=(spend,)))
    provider.record_order(order(mia, spends=(spend,)))
    told = vendor.receipts.orders if sales == "receipts" else vendor.state.events_of("TRANSACTION")
    body = told[0] if sales == "receipts" else told[0]["payload"]
    assert body["discounts"] == [{"rewardId": spend.provider_ref}]


@pytest.mark.parametrize("line_break", ["\n", "\\n"])
def test_a_token_of_a_private_key_names_the_key(build: Build, line_break: str) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    written = pem.replace("\n", line_break)  # as a file has it, and as one line
    settings = {**AS_MEMBER, "user_token_algorithm": "RS256", "user_token_key": written}
    provider = build(**settings, user_token_key_id="till-1")
    token = user_token(provider.client.settings, "auth0|mia", provider.client.now())
    assert jwt.get_unverified_header(token)["kid"] == "till-1"
    claims = jwt.decode(token, key.public_key(), algorithms=["RS256"], issuer=sample.USER_ISSUER)
    assert claims["sub"] == "auth0|mia"
    assert claims["exp"] - claims["iat"] == 300


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"user_token_key": ""}, "user_token_key"),
        ({"user_token_key": "short"}, "user_token_key"),
        ({"user_token_issuer": ""}, "user_token_issuer"),
        ({"user_token_algorithm": "RS256"}, "user_token_key_id"),
        ({"user_token_algorithm": "RS256", "user_token_key_id": "till-1"}, "user_token_key"),
    ],
)
def test_a_key_that_signs_no_good_token_is_refused_when_it_is_saved(
    build: Build, change: dict[str, str], setting: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        build(**{**AS_MEMBER, **change})
    assert caught.value.key == setting


def test_a_key_that_only_verifies_or_has_a_password_is_refused_when_it_is_saved(build: Build) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))
    settings = {**AS_MEMBER, "user_token_algorithm": "RS256", "user_token_key_id": "till-1"}
    for pem in (public, locked):
        with pytest.raises(SettingsError) as caught:
            build(**{**settings, "user_token_key": pem.decode()})
        assert caught.value.key == "user_token_key"


def test_a_shared_key_is_taken_letter_by_letter(build: Build) -> None:
    shared = "a backslash \\n is no line break in a key like this"
    provider = build(**{**AS_MEMBER, "user_token_key": shared})
    token = user_token(provider.client.settings, "auth0|mia", provider.client.now())
    assert jwt.decode(token, shared, algorithms=["HS256"], issuer=sample.USER_ISSUER)["sub"] == "auth0|mia"
