"""Client, identity, launch and handoff against the strict sandbox, over real HTTP."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.http import QueryDict
from django.test import Client

from loyaltyview.newstore import profile_links
from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.coupon_list import disable_code
from loyaltyview.newstore.coupons import CouponRequest, coupon_name, mint_code
from loyaltyview.newstore.deeplink import handoff_url
from loyaltyview.newstore.errors import NewStoreAuthFailed, NewStoreRejected, NewStoreUnavailable
from loyaltyview.newstore.identity import read_identity, verify_associate
from loyaltyview.newstore.launch import read_posted, read_query
from loyaltyview.newstore.profile_links import link_profile
from loyaltyview.programs.models import Program
from loyaltyview.sandbox.app import Sandbox, SandboxConfig
from loyaltyview.sandbox.sample import ASSOCIATES, CUSTOMERS, STORE
from loyaltyview.sandbox.serve import serve_in_thread

MIA = CUSTOMERS["mia"]
TEN_OFF = CouponRequest(
    reference="r-10",
    label="10 off",
    amount=Decimal("10.00"),
    percent=None,
    currency="USD",
    minimum=Decimal("50.00"),
    profile_id=MIA.profile_id,
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    config = SandboxConfig(client_secret="s3cret", loyalty_url="http://127.0.0.1:1/launch/acme/")
    running = serve_in_thread(Sandbox(config))
    yield running.sandbox
    running.stop()


@pytest.fixture
def acme(program: Program, sandbox: Sandbox) -> Program:
    program.newstore_api_url = sandbox.base_url
    program.newstore_identity_url = sandbox.idp.issuer
    program.save()
    return program


def test_login_launch_mint_and_handoff_take_the_discount_off_the_cart(
    acme: Program, sandbox: Sandbox, client: Client
) -> None:
    sandbox.app.log_in("a-17")
    login = {
        "device_id": "ipad-1",
        "identity": f"Bearer {sandbox.idp.mint_associate_token(ASSOCIATES['a-17'])}",
    }
    answer = client.post("/identity/acme/", json.dumps(login), content_type="application/json")
    sandbox.app.external_identity = answer.json()["external_identity"]
    sandbox.app.new_cart(customer="mia", cart="shirts")
    before = sandbox.app.totals().total

    context = read_query(QueryDict(urlsplit(sandbox.app.launch_url()).query))
    assert read_identity(acme, context.external_identity).device_id == "ipad-1"
    assert (context.customer_email, context.store_id, context.currency) == (MIA.email, STORE.store_id, "USD")
    assert context.cart_total == before
    assert len(context.items) == 3

    code = mint_code(acme, TEN_OFF).code
    applied = sandbox.app.apply(handoff_url(codes=[code], cart_id=context.cart_id, token=context.token))
    assert (applied.codes, applied.refused, applied.ignored) == ((code,), (), "")
    assert sandbox.app.totals().total < before


def test_renamed_reward_is_minted_like_any_other(acme: Program, sandbox: Sandbox) -> None:
    renamed = CouponRequest(
        reference="r-10", label="Ten off", amount=Decimal(10), percent=None, currency="USD", minimum=None
    )
    codes = {mint_code(acme, request).code for request in (TEN_OFF, renamed, TEN_OFF)}
    assert len(codes) == 3


def test_code_works_only_for_its_customer_and_currency(acme: Program, sandbox: Sandbox) -> None:
    coupon = sandbox.coupons.codes[mint_code(acme, TEN_OFF).code]
    mine = {
        "cart_id": "c",
        "remaining": Decimal(50),
        "currency": "USD",
        "profile_id": MIA.profile_id,
    }
    assert coupon.refusal(**mine) == ""  # type: ignore[arg-type]
    for change in ({"currency": "EUR"}, {"profile_id": "NS-2"}, {"remaining": Decimal("49.99")}):
        assert coupon.refusal(**{**mine, **change})  # type: ignore[arg-type]


def test_cart_and_its_customer_are_read(acme: Program, sandbox: Sandbox) -> None:
    sandbox.app.log_in("a-17")
    cart = sandbox.app.new_cart(customer="mia", cart="shirts")
    read = NewStoreClient(acme).get_cart(cart.cart_id)
    assert (read.store_id, read.associate_id, read.currency) == (STORE.store_id, "a-17", "USD")
    assert [item.product_id for item in read.items] == ["SHIRT-01", "SHIRT-01", "SOCKS-01"]
    assert NewStoreClient(acme).get_profile(read.customer_id).email == MIA.email
    anonymous = sandbox.app.new_cart(customer="none")
    assert NewStoreClient(acme).get_cart(anonymous.cart_id).customer_id == ""


def test_loyalty_id_is_written_and_found_again(acme: Program, sandbox: Sandbox) -> None:
    client = NewStoreClient(acme)
    client.write_loyalty_id(MIA.profile_id, "size", "M")
    client.write_loyalty_id(MIA.profile_id, "loyalty_id", "L-42")
    (found,) = client.find_profiles(MIA.email.upper())
    assert found.attributes == {"size": "M", "loyalty_id": "L-42"}
    assert client.find_profiles("example.test") == ()


def test_token_that_newstore_no_longer_takes_is_replaced(acme: Program, sandbox: Sandbox) -> None:
    NewStoreClient(acme).get_profile(MIA.profile_id)
    sandbox.idp.rotate_key()
    with time_machine.travel(timedelta(seconds=61)):
        assert NewStoreClient(acme).get_profile(MIA.profile_id).email == MIA.email


def test_wrong_secret_and_missing_scope_are_for_an_administrator(acme: Program, sandbox: Sandbox) -> None:
    sandbox.config.scopes = ("checkout:carts:read",)
    with pytest.raises(NewStoreAuthFailed, match="insufficient_scope"):
        NewStoreClient(acme).get_profile(MIA.profile_id)
    acme.newstore_client_secret = "wrong"
    with pytest.raises(NewStoreAuthFailed, match="invalid_client"):
        NewStoreClient(acme).get_profile(MIA.profile_id)


def test_unknown_cart_and_unknown_profile_differ_from_an_outage(acme: Program, sandbox: Sandbox) -> None:
    client = NewStoreClient(acme)
    statuses = []
    for read, key in ((client.get_cart, "not-a-uuid"), (client.get_profile, "NS-unknown")):
        with pytest.raises(NewStoreRejected) as caught:
            read(key)
        statuses.append(caught.value.status)
        assert caught.value.request_id
    assert statuses == [422, 404]


def test_newstore_that_is_down_is_unavailable(program: Program) -> None:
    with pytest.raises(NewStoreUnavailable):
        NewStoreClient(program).get_cart("c-1")


def test_login_finds_newstores_id_of_the_associate(acme: Program, sandbox: Sandbox) -> None:
    acme.newstore_lookup_associates = True
    token = f"Bearer {sandbox.idp.mint_associate_token(ASSOCIATES['a-17'])}"
    associate = verify_associate(acme, token, "ipad-1")
    assert (associate.associate_id, associate.is_staff_id) == ("a-17", True)


def test_loyalty_id_reaches_the_profile_of_a_customer_known_by_email_only(
    acme: Program, sandbox: Sandbox
) -> None:
    sandbox.profiles.profiles[MIA.profile_id]["extended_attributes"] = {
        "size": {"data_type": "string", "value": "M"}
    }
    link_profile(acme, member_id="L-42", profile_id="", contact=MIA.email, may_replace=True)
    assert profile_links.run_one()
    written = sandbox.profiles.profiles[MIA.profile_id]["extended_attributes"]
    assert {name: each["value"] for name, each in written.items()} == {"size": "M", "loyalty_id": "L-42"}


def test_used_code_is_switched_off_in_the_coupon_list(acme: Program, sandbox: Sandbox) -> None:
    code = mint_code(acme, TEN_OFF).code
    other = mint_code(acme, TEN_OFF).code
    assert disable_code(acme, code, coupon_name(acme, TEN_OFF))
    assert not sandbox.coupons.codes[code].is_active
    assert sandbox.coupons.codes[other].is_active


@pytest.mark.parametrize("shape", ["query", "injected", "fragment"])
def test_every_shape_of_a_launch_says_the_same(acme: Program, sandbox: Sandbox, shape: Any) -> None:
    sandbox.config.launch_shape = shape
    sandbox.app.log_in("a-17")
    sandbox.app.external_identity = "ours"
    cart = sandbox.app.new_cart(customer="mia", cart="jacket")
    address = urlsplit(sandbox.app.launch_url())
    posted = base64.b64decode(address.fragment).decode() or json.dumps(sandbox.app.injected())
    context = read_query(QueryDict(address.query)) if address.query else read_posted(posted)
    assert (context.cart_id, context.cart_total, context.currency) == (cart.cart_id, 153, "USD")
    assert (context.customer_email, context.external_identity) == (MIA.email, "ours")
    assert (context.token, len(context.items)) == (sandbox.app.token, 2)


@pytest.mark.parametrize("kind", ["ID", "Refresh", "Offline", "machine"])
def test_other_tokens_of_the_realm_cannot_log_in(
    acme: Program, sandbox: Sandbox, client: Client, kind: str
) -> None:
    kim = ASSOCIATES["a-17"]
    if kind == "machine":
        token = sandbox.idp.mint_machine_token("stock-sync")
    else:
        token = sandbox.idp.mint_other_token(kind, kim)
    body = json.dumps({"device_id": "ipad-1", "identity": f"Bearer {token}"})

    assert client.post("/identity/acme/", body, content_type="application/json").status_code == 401
    token = sandbox.idp.mint_associate_token(kim)
    body = json.dumps({"device_id": "ipad-1", "identity": f"Bearer {token}"})
    assert client.post("/identity/acme/", body, content_type="application/json").status_code == 200
