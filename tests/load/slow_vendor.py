"""A loyalty vendor as `python -m tests.load.slow_vendor PORT`: every call is answered after 50 ms.

It speaks as Stampcard, the example vendor of the tests (`stampcard_vendors.py`).
"""

import secrets
import sys
import time

from tests.load.slow_newstore import ANSWERS_AFTER_S, Connection, Server

POINTS = 1_000_000
# The cheapest must be "off-5", which the script taps.
REWARDS = [
    {"id": f"off-{dollars}", "title": f"${dollars} off", "stamps": 20 * dollars,
     "cents_off": 100 * dollars, "currency": "USD"}
    for dollars in (5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 90, 100)
]  # fmt: skip


class VendorConnection(Connection):
    def answer(self, path: str) -> object:
        time.sleep(ANSWERS_AFTER_S)
        if path.endswith("/rewards"):
            return REWARDS
        if path.endswith("/redemptions"):
            return {"id": secrets.token_hex(8)}
        ref = path.rpartition("/")[2]
        return {"id": ref, "card": ref, "email": f"{ref}@example.test", "first_name": "Mia", "stamps": POINTS}


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), VendorConnection).serve_forever()
