"""The engine's data: users, wallets, benefits, events, and the reactors that move points.

Reactions run with the first request that comes `reaction_delay_s` after an event. A balance may fall below
zero, as the contract says.
"""

import copy
import itertools
import secrets
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from math import floor
from typing import Any

from loyaltyview.sandbox.answers import Json, timestamp
from loyaltyview.sandbox.clock import vendor_now
from loyaltyview.sandbox.vendors.whitelabel import sample
from loyaltyview.sandbox.vendors.whitelabel.answers import Fail

Listener = Callable[[Json], None]


class State:
    """One tenant. The server holds its lock during every call."""

    def __init__(self, listener: Listener) -> None:
        self.reaction_delay_s: float = 0
        self.reactors = dict(REACTORS)
        self.schemas = dict(SCHEMAS)
        self.users: dict[str, Json] = {}
        self.points: dict[str, int] = {}
        self.lifetime: dict[str, int] = {}
        self.cost: dict[str, int] = {}
        self.rewards = {row["id"]: row for row in sample.rewards()}
        self.benefits: dict[str, Json] = {}
        self.consents: list[Json] = []
        # Which audiences each user belongs to.
        self.audiences: dict[str, set[str]] = {}
        self.events: list[Json] = []
        self.moved: dict[int, int] = {}
        self._ids = itertools.count(123456)
        self._numbers = itertools.count(1000104)
        self._listener = listener
        for person in sample.PEOPLE:
            self._seed(*person)
        ana = self.by_email("ana@example.test")
        birthday = self.reward_named("$10 birthday voucher")
        self.give(ana["id"], birthday, benefit_id=sample.fixed_id("ana-birthday"))
        self.give(ana["id"], self.reward_named("$5 off"), code=sample.ANA_CODE)
        self.audiences[ana["id"]] = {sample.STAFF}
        leo = self.by_email("leo@example.test")
        for name in ("Coffee gift card", "20% off shoes", "Friends of Acme: $6 off", "Free sticker"):
            self.give(leo["id"], self.reward_named(name), benefit_id=sample.fixed_id(f"leo-{name}"))

    # --- Users ------------------------------------------------------------------------------------

    def user(self, name: str) -> Json:
        """Return a user by id or account number; Fail(404)."""
        for user in self.users.values():
            if name in (user["id"], user["accountNumber"]):
                return user
        raise Fail(404, "user not found")

    def subject(self, name: str) -> Json:
        """Return a user as `user` does, or by the subject of their login."""
        for user in self.users.values():
            if user["authIdentifier"] == name:
                return user
        return self.user(name)

    def login(self, subject: str) -> Json:
        """Return the user who logs in as `subject`; Fail(404)."""
        for user in self.users.values():
            if user["authIdentifier"] == subject:
                return user
        raise Fail(404, "user not found")

    def by_email(self, email: str) -> Json:
        return next(user for user in self.users.values() if user["profile"]["emailAddress"] == email)

    def add_user(self, definition: Json, *, user_id: str = "", number: str = "") -> Json:
        """Register a user; refuse a taken e-mail or phone with 409."""
        profile = definition["profile"]
        for user in self.users.values():
            for name in ("emailAddress", "telephoneNumber"):
                if profile.get(name) and user["profile"].get(name) == profile[name]:
                    raise Fail(409, f"{name} is taken")
        now = timestamp()
        user = {
            "id": user_id or str(uuid.uuid4()),
            "accountNumber": number or str(next(self._numbers)),
            "authIdentifier": definition.get("authIdentifier"),
            "externalIdentifier": definition.get("externalIdentifier"),
            "isRestricted": False,
            "profile": {"gender": "UNKNOWN", "attributes": {}, **profile},
            "flags": {},
            "createdAt": now,
            "updatedAt": now,
        }
        self.users[user["id"]] = user
        self.points[user["id"]] = self.lifetime[user["id"]] = self.cost[user["id"]] = 0
        for consent in definition.get("consentsDefinition", []):
            self.consent(user["id"], consent["type"]["id"], checked=consent["checked"])
        self.emit("REGISTERED_ACCOUNT", user, {})
        return user

    def consent(self, user_id: str, kind: str, *, checked: bool) -> Json:
        row = {
            "id": str(uuid.uuid4()),
            "type": {"id": kind},
            "user": {"id": user_id},
            "checked": checked,
            "createdAt": timestamp(),
        }
        self.consents.append(row)
        return row

    def wallet(self, user: Json) -> Json:
        """Return balance, tier, and the vouchers that are not burned."""
        ref, now = user["id"], timestamp()
        reached = [tier for tier in sample.TIERS if tier["pointsRequirement"] <= self.lifetime[ref]]
        vouchers = [
            row
            for row in self.benefits.values()
            if row["owner"]["id"] == ref
            and row["type"] == "VOUCHER"
            and not row["burnedAt"]
            and not (row["expiresAt"] and row["expiresAt"] < now and not row["redeemedAt"])
        ]
        tier = {name: reached[-1][name] for name in ("id", "name", "priority", "pointsRequirement")}
        return {
            "points": self.points[ref],
            "lifetimeEarn": self.lifetime[ref],
            "loyaltyCost": self.cost[ref],
            "tier": tier,
            "vouchers": vouchers,
        }

    # --- Benefits ---------------------------------------------------------------------------------

    def reward_named(self, name: str) -> Json:
        return next(row for row in self.rewards.values() if row["name"] == name)

    def give(
        self, owner: str, reward: Json, *, code: str = "", benefit_id: str = "", expires_at: str | None = None
    ) -> Json:
        """Give a benefit; with `code` the member has redeemed it in the app already."""
        now = timestamp()
        benefit: Json = {
            "id": benefit_id or str(uuid.uuid4()),
            "type": reward["type"],
            "createdAt": now,
            "redeemedAt": None,
            "expiresAt": expires_at,
            "burnedAt": None,
            "reward": copy.deepcopy(reward),
            "owner": {"id": owner},
            "code": None,
        }
        self.benefits[benefit["id"]] = benefit
        if code:
            self.reveal(benefit, code)
        return benefit

    def reveal(self, benefit: Json, code: str = "") -> None:
        """Redeem a benefit: its code can be validated from now on. A HUMAN reward has no code, nor has a gift
        card. A STATIC code is the same for everybody."""
        now = timestamp()
        benefit["redeemedAt"] = now
        kind = benefit["reward"]["codeType"]
        if kind == "HUMAN" or benefit["type"] != "VOUCHER":
            return
        if kind == "STATIC":
            code = benefit["reward"]["code"]["value"]
        benefit["code"] = {
            "id": str(uuid.uuid4()),
            "createdAt": now,
            "updatedAt": now,
            "redeemedAt": now,
            "validatedAt": None,
            "value": code or f"PROMO-{secrets.token_hex(4).upper()}",
        }

    def purchase(self, user: Json, reward: Json, comment: str) -> Json:
        """Take the points and give the benefit."""
        now = timestamp()
        if not reward["purchasable"] or (reward["availability"]["end"] or now) < now:
            raise Fail(400, "reward is not available")
        if reward["stockCapacity"] is not None and reward["stockConsumed"] >= reward["stockCapacity"]:
            raise Fail(400, "reward is out of stock")
        if reward["tier"] and self._requirement(reward["tier"]["id"]) > self.lifetime[user["id"]]:
            raise Fail(400, "user is not eligible")
        if self.points[user["id"]] < reward["price"]:
            raise Fail(400, "not enough points")
        self.points[user["id"]] -= reward["price"]
        self.cost[user["id"]] += reward["value"]
        reward["stockConsumed"] += 1
        benefit = self.give(user["id"], reward)
        event = self.emit("PURCHASED_REWARD", user, {"rewardId": reward["id"], "comment": comment})
        self.moved[event["id"]] = -reward["price"]
        return benefit

    # --- Events -----------------------------------------------------------------------------------

    def emit(self, kind: str, user: Json | None, payload: Json, **fields: Any) -> Json:
        """Store an event. Custom ones react later; intrinsic ones have had their effect."""
        now = timestamp()
        is_custom = kind in self.reactors
        event: Json = {
            "id": next(self._ids),
            "type": kind,
            "subject": {"id": user["id"]} if user else None,
            "executor": fields.get("executor"),
            "payload": payload,
            "reportedAt": now,
            "occurredAt": fields.get("occurredAt", now),
            "reactedAt": None if is_custom else now,
        }
        self.events.append(event)
        self.settle()
        self._listener({**event, "subject": user["authIdentifier"] or user["id"] if user else None})
        return event

    def events_of(self, kind: str) -> list[Json]:
        """Return the events of one type, oldest first."""
        return [event for event in self.events if event["type"] == kind]

    def settle(self) -> None:
        """Run the reactions that are due."""
        due = vendor_now() - timedelta(seconds=self.reaction_delay_s)
        for event in self.events:
            if event["reactedAt"] is None and datetime.fromisoformat(event["reportedAt"]) <= due:
                event["reactedAt"] = timestamp()
                if event["subject"]:
                    self.move(
                        event["subject"]["id"], self.reactors[event["type"]](event["payload"]), event["id"]
                    )

    def move(self, user_id: str, points: int, event_id: int, *, earns: bool | None = None) -> None:
        self.points[user_id] += points
        self.moved[event_id] = points
        if earns or (earns is None and points > 0):
            self.lifetime[user_id] += points

    def _requirement(self, tier_id: str) -> int:
        return next(int(tier["pointsRequirement"]) for tier in sample.TIERS if tier["id"] == tier_id)

    def _seed(self, first: str, last: str, email: str, phone: str | None, number: str, points: int) -> None:
        profile = {"givenName": first, "familyName": last, "emailAddress": email}
        if phone:
            profile["telephoneNumber"] = phone
        definition = {"profile": profile, "authIdentifier": f"auth0|{first.lower()}"}
        user = self.add_user(definition, user_id=sample.fixed_id(f"user-{first}"), number=number)
        self.points[user["id"]] = self.lifetime[user["id"]] = points


# The tenant's own event types and what they do (docs/contracts/whitelabel.md 2.7). `floor` of amounts in
# major units.
REACTORS: dict[str, Callable[[Json], int]] = {
    "TRANSACTION": lambda payload: floor(payload["amount"]),
    "REDEEMED_POINTS": lambda payload: -payload["points"],
    "POINTS_REFUND": lambda payload: payload["points"],
}

# The engine's own event of an order that Receipts has stored.
ORDER_PLACED = "ORDER_PLACED"
REACTORS[ORDER_PLACED] = lambda payload: floor(payload["total"])

# A tenant may add this event type for returned goods.
RETURN_TYPE = "TRANSACTION_RETURNED"
RETURN_SCHEMA = {
    "points": "number*",
    "transactionId": "string",
    "branchId": "string",
    "requestId": "string",
    "returnId": "string",
}

# Their payload schemas (JSON Schema draft 6, nothing else allowed).
SCHEMAS: dict[str, dict[str, str]] = {
    "TRANSACTION": {
        "transactionId": "string*",
        "amount": "number*",
        "currency": "string",
        "branchId": "string",
        "cashierId": "string",
        "requestId": "string",
        "items": "array",
        "discounts": "array",
    },
    "REDEEMED_POINTS": {
        "points": "number*",
        "transactionId": "string",
        "branchId": "string",
        "cashierId": "string",
        "requestId": "string",
    },
    "POINTS_REFUND": {
        "points": "number*",
        "transactionId": "string",
        "branchId": "string",
        "cashierId": "string",
        "requestId": "string",
    },
}
