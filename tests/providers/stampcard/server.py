"""Stampcard in memory, for its adapter's tests: strict about credentials, loose in look-ups.

A repeated redemption is made again. A purchase and a refund are accepted once by their ids, and a
redemption is cancelled once.
"""

import hashlib
import hmac
import itertools
import json

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import ApiError, Json, answer
from loyaltyview.sandbox.clock import vendor_now
from loyaltyview.sandbox.vendors.base import Vendor, VendorSetup

REWARDS = [
    {"id": "coffee", "title": "Free coffee", "stamps": 100, "cents_off": 500, "currency": "USD"},
    {"id": "breakfast", "title": "Breakfast for two", "stamps": 2500, "cents_off": 2500, "currency": "USD"},
]


class Stampcard(Vendor):
    kind = "stampcard"

    def __init__(self, setup: VendorSetup) -> None:
        super().__init__(setup)
        self.customers = {
            "c-mia": customer("c-mia", "STAMP-1001", "mia@example.test", "Mia", 820),
            "c-leo": customer("c-leo", "1002", "leo@example.test", "Leo", 40),
        }
        self.lines: dict[str, list[Json]] = {ref: [] for ref in self.customers}
        self.redemptions: list[Json] = []
        self.purchases: dict[str, Json] = {}
        self._numbers = itertools.count(1)
        self.lines["c-mia"] = [
            {"at": "2026-05-04T09:00:00Z", "stamps": 815, "what": "Moved from the paper card"},
            {"at": "2026-09-12T08:31:00Z", "stamps": 5, "what": "Birthday"},
        ]
        self._routes = Map(
            [
                Rule("/v1/shop", endpoint=lambda _request: {"name": "Stampcard Boston"}),
                Rule("/v1/customers", endpoint=self._find),
                Rule("/v1/customers/<ref>", endpoint=self._get),
                Rule("/v1/customers/<ref>/stamps", endpoint=lambda _request, ref: self.lines[ref]),
                Rule("/v1/rewards", endpoint=lambda _request: REWARDS),
                Rule("/v1/customers/<ref>/redemptions", endpoint=self._redemptions, methods=["GET"]),
                Rule("/v1/customers/<ref>/redemptions", endpoint=self._redeem, methods=["POST"]),
                Rule("/v1/redemptions/<id>", endpoint=self._cancel, methods=["DELETE"]),
                Rule("/v1/purchases", endpoint=self._buy, methods=["POST"]),
                Rule("/v1/purchases/<id>/refunds", endpoint=self._refund, methods=["POST"]),
            ]
        )

    def respond(self, request: Request) -> Response:
        try:
            if request.headers.get("Authorization") != f"Bearer {self.setup.secret}":
                raise ApiError(401, {"error": "unauthorized"})
            view, values = self._routes.bind_to_environ(request.environ).match()
            with self.lock:
                return answer(view(request, **values))
        except ApiError as error:
            return error.response()
        except HTTPException as error:
            return answer({"error": "not_found"}, error.code or 404)

    def delivery(self, secret: str, body: Json) -> tuple[dict[str, str], bytes]:
        """Return the headers and the body of a webhook that is signed with `secret`."""
        raw = json.dumps(body).encode()
        return {"stampcard-signature": hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()}, raw

    def _find(self, request: Request) -> list[Json]:
        ((name, value),) = request.args.items()
        return [each for each in self.customers.values() if value in each[name]]

    def _get(self, _request: Request, ref: str) -> Json:
        if ref not in self.customers:
            raise ApiError(404, {"error": "customer_unknown"})
        return self.customers[ref]

    def _redemptions(self, _request: Request, ref: str) -> list[Json]:
        return [each for each in reversed(self.redemptions) if each["customer"] == ref]

    def _redeem(self, request: Request, ref: str) -> Json:
        body, member = request.get_json(), self._get(request, ref)
        reward = next((each for each in REWARDS if each["id"] == body["reward"]), None)
        if reward is None:
            raise ApiError(404, {"error": "reward_unknown"})
        if reward["stamps"] != body["stamps"]:
            raise ApiError(409, {"error": "price_changed"})
        if member["stamps"] < body["stamps"]:
            raise ApiError(409, {"error": "not_enough_stamps"})
        made = {**body, "id": f"r-{next(self._numbers)}", "customer": ref, "is_cancelled": False}
        self.redemptions.append(made)
        self._add(ref, -body["stamps"], str(reward["title"]), body["reference"])
        return made

    def _cancel(self, _request: Request, id: str) -> Json:
        made = next(each for each in self.redemptions if each["id"] == id)
        if not made["is_cancelled"]:
            made["is_cancelled"] = True
            self._add(made["customer"], made["stamps"], "Cancelled", made["reference"])
        return made

    def _buy(self, request: Request) -> Json:
        body = request.get_json()
        if body["id"] not in self.purchases:
            earned = body["amount"]["cents"] // 100
            self.purchases[body["id"]] = {**body, "stamps": earned, "taken": 0, "refunds": {}}
            self._add(body["customer"], earned, "Purchase")
        return self.purchases[body["id"]]

    def _refund(self, request: Request, id: str) -> Json:
        body, purchase = request.get_json(), self.purchases.get(id)
        if purchase is None:
            return {"stamps": 0}
        if body["id"] not in purchase["refunds"]:
            left = purchase["stamps"] - purchase["taken"]
            share = purchase["stamps"] * body["amount"]["cents"] // purchase["amount"]["cents"]
            taken = left if body["is_last"] else min(share, left)
            purchase["refunds"][body["id"]] = {"stamps": -taken}
            purchase["taken"] += taken
            self._add(purchase["customer"], -taken, "Refund")
        refund: Json = purchase["refunds"][body["id"]]
        return refund

    def _add(self, ref: str, stamps: int, what: str, reference: str = "") -> None:
        at = vendor_now().isoformat()
        self.customers[ref]["stamps"] += stamps
        self.lines[ref].append({"at": at, "stamps": stamps, "what": what, "reference": reference})


def customer(ref: str, card: str, email: str, name: str, stamps: int) -> Json:
    return {"id": ref, "card": card, "email": email, "first_name": name, "stamps": stamps}
