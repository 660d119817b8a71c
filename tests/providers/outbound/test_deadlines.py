"""No call outlasts its deadline, whatever the server does: neither to a vendor nor to NewStore."""

import time
from collections.abc import Callable

import pytest

from loyaltyview.newstore.errors import NewStoreUnavailable
from loyaltyview.newstore.http import send
from providers.errors import OutcomeUnknown, Unavailable
from providers.outbound.exchange import Call
from providers.outbound.vendor_session import Limits, VendorSession
from tests.providers.raw import RawVendor, Script, drip_body, drip_chunks, drip_headers, hang

DEADLINE_S = 0.4


def vendor_of(url: str) -> VendorSession:
    limits = Limits(read_total_s=DEADLINE_S, write_total_s=DEADLINE_S)
    return VendorSession(vendor="raw", program="acme", base_url=url, limits=limits)


CLIENTS: dict[str, tuple[type[Exception], Callable[[str, Call], object]]] = {
    "vendor read": (Unavailable, lambda url, call: vendor_of(url).read(call)),
    "vendor write": (OutcomeUnknown, lambda url, call: vendor_of(url).write(call)),
    "newstore": (NewStoreUnavailable, lambda url, call: send("acme", url, call, timeout_s=DEADLINE_S)),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("script", [hang, drip_headers, drip_body, drip_chunks], ids=lambda s: s.__name__)
def test_a_server_that_is_silent_or_drips_is_given_up_at_the_deadline(client: str, script: Script) -> None:
    error, call = CLIENTS[client]
    server = RawVendor(script)
    started_at = time.monotonic()
    with pytest.raises(error):
        call(server.url, Call("POST", "/x", operation="x"))
    took_s = time.monotonic() - started_at
    server.close()
    assert took_s < 4  # the server itself goes on until it is closed, or for 5 seconds
