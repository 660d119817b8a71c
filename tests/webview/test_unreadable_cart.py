"""A cart in the address that cannot be read is passed over for what only the script sees
(docs/contracts/newstore.md 1.2)."""

import json

import pytest
from django.test import Client

from loyaltyview.programs.models import Program
from loyaltyview.webview.models import Launch

from .conftest import launch_params
from .fakes import Vendor


@pytest.mark.parametrize("cart", ["{not json", "[]", "cartId=5f0c;total=129.90", "H4sIAAAAAAAA"])
def test_an_unreadable_cart_is_replaced_by_the_injected_object(
    client: Client, program: Program, vendor: Vendor, cart: str
) -> None:
    params = launch_params(program)
    context = {"securityToken": params["token"], "contextProps": {"cart": json.loads(params["cart"])}}
    params["cart"] = cart
    response = client.get("/launch/acme/", params)
    html = response.content.decode()
    assert response.status_code == 200
    assert "js/launch.js" in html
    assert 'data-error="CART_MALFORMED"' in html  # unless the script finds more
    response = client.post("/launch/acme/", {"context": json.dumps(context)}, query_params=params)
    assert response.status_code == 302
    assert Launch.objects.get().cart["total"] == "129.9"
