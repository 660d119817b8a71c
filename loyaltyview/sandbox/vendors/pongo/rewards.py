"""Rewards: the catalogue, customers' rewards, buying, using, locking (docs/contracts/pongo.md 4)."""

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.pongo import validation
from loyaltyview.sandbox.vendors.pongo.sample import Reward
from loyaltyview.sandbox.vendors.pongo.state import Book, Customer, Won, now_text
from loyaltyview.sandbox.vendors.pongo.validation import Refused, invalid, read_body, wrapped

BUY_FIELDS = {
    "customer": validation.string,
    "store_slug": validation.string,
    "is_used": validation.boolean,
    "pin": validation.pin,
}
USE_FIELDS = {**BUY_FIELDS, "hash": validation.string}
LOCK_FIELDS = {"hash": validation.string, "pin": validation.pin}


class Rewards:
    """`has_locks` is off for a Pongo without the lock calls. With `locks_need_pin` those of a customer with a
    PIN need it."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.has_locks = True
        self.locks_need_pin = False

    def list(self, request: Request) -> Response:
        args = request.args
        customer = self.book.customer(args["customer"]) if args.get("customer") else None
        slug = args.get("store_slug", "")
        if slug and self.book.store(slug) is None:
            raise invalid(store_slug="The selected store slug is invalid.")
        least, most = args.get("points_min", 0, type=int), args.get("points_max", 10**9, type=int)
        shown = [
            reward
            for reward in self.book.rewards.values()
            if least <= reward.points <= most and self._is_for(reward, customer, slug)
        ]
        return wrapped([self._as_json(reward) for reward in shown])

    def list_won(self, _request: Request, customer_id: str) -> Response:
        return wrapped([won.as_json() for won in self.book.customer(customer_id).won])

    def buy(self, request: Request, reward_id: str) -> Response:
        reward = self._reward(reward_id)
        body = read_body(request, BUY_FIELDS, frozenset({"customer", "store_slug"}))
        customer = self._customer(body["customer"])
        self._check_store_and_pin(customer, body)
        if not self._is_for(reward, customer, body["store_slug"]):
            raise Refused(422, "This reward is not available for this customer.", code="not_available")
        if customer.points < reward.points:
            raise Refused(422, "The customer does not have enough points.", code="not_enough_points")
        customer.points -= reward.points
        won = self.book.give(customer, reward)
        if body.get("is_used"):
            won.used_at = now_text()
        return wrapped({**won.as_json(), "customer": {"points": customer.points}}, 201)

    def use(self, request: Request, reward_id: str) -> Response:
        self._reward(reward_id)
        body = read_body(request, USE_FIELDS, frozenset({"customer", "store_slug", "hash", "is_used"}))
        customer = self._customer(body["customer"])
        self._check_store_and_pin(customer, body)
        won = self._won(customer, body["hash"])
        if won.reward.reward_id != reward_id:
            raise validation.not_found()
        if won.used_at:
            raise Refused(422, "This reward has already been used.", code="already_used")
        won.used_at, won.is_locked = now_text(), False
        return wrapped(won.as_json())

    def lock(self, request: Request, customer_id: str) -> Response:
        """Add a lock, or remove it: DELETE has the same body."""
        if not self.has_locks:
            raise validation.not_found()
        customer = self.book.customer(customer_id)
        body = read_body(request, LOCK_FIELDS, frozenset({"hash"}))
        if self.locks_need_pin:
            self._check_pin(customer, body)
        won = self._won(customer, body["hash"])
        if won.used_at:
            raise Refused(422, "This reward has already been used.", code="already_used")
        is_adding = request.method == "POST"
        if is_adding and won.is_locked:
            raise Refused(422, "This reward is locked.", code="reward_locked")
        won.is_locked = is_adding
        return wrapped(won.as_json())

    def use_in_order(self, customer: Customer, reward_id: str) -> None:
        """Use up one of the customer's rewards, a locked one first."""
        owned = [won for won in customer.won if won.reward.reward_id == reward_id and not won.used_at]
        if not owned:
            raise invalid(reward_ids="The customer does not own this reward.")
        won = max(owned, key=lambda won: won.is_locked)
        won.used_at, won.is_locked = now_text(), False

    def _is_for(self, reward: Reward, customer: Customer | None, slug: str) -> bool:
        if customer is None:
            return True  # without a customer all rewards of the merchant are listed
        is_here = not reward.only_store or reward.only_store == slug
        return is_here and (not reward.only_tag or reward.only_tag in customer.tags)

    def _as_json(self, reward: Reward) -> validation.Json:
        return {
            "id": reward.reward_id,
            "name": reward.name,
            "description": reward.description or None,
            "type": reward.type,
            "points": reward.points,
            "external_id": reward.external_id,
            "value": reward.value,
            "image_url": None,
            "min_order_amount": reward.min_order_amount,
            "expires_at": None,
            "is_active": True,
        }

    def _reward(self, reward_id: str) -> Reward:
        reward = self.book.rewards.get(reward_id)
        if reward is None:
            raise validation.not_found()
        return reward

    def _customer(self, customer_id: str) -> Customer:
        customer = self.book.customers.get(customer_id)
        if customer is None:
            raise invalid(customer="The selected customer is invalid.")
        return customer

    def _check_store_and_pin(self, customer: Customer, body: validation.Json) -> None:
        if self.book.store(body["store_slug"]) is None:
            raise invalid(store_slug="The selected store slug is invalid.")
        self._check_pin(customer, body)

    def _check_pin(self, customer: Customer, body: validation.Json) -> None:
        if customer.pin and body.get("pin") != customer.pin:
            raise Refused(403, "The customer's PIN is missing or wrong.")

    def _won(self, customer: Customer, reward_hash: str) -> Won:
        for won in customer.won:
            if won.hash == reward_hash:
                return won
        raise invalid(hash="The selected hash is invalid.")
