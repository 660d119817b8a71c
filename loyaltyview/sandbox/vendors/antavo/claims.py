"""Rewards: listed for a customer, claimed for points, revoked; and offers, claimed for a coupon."""

from decimal import Decimal

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.antavo.answers import Refusal, answer, check, not_found
from loyaltyview.sandbox.vendors.antavo.state import Customer, Json, Reward, Workspace, now_text


class Claims:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.is_locked = False

    def list(self, request: Request, customer_id: str) -> Response:
        customer = self._workspace.customer(customer_id)
        shown = [self._reward(customer, reward) for reward in self._workspace.rewards.values()]
        return answer({"data": shown, "next": None, "previous": None})

    def claim(self, request: Request, customer_id: str, reward_id: str) -> Response:
        customer = self._workspace.customer(customer_id)
        form = check(_form(request), {"points": "string", "count": "string"})
        reward = self._workspace.rewards.get(reward_id)
        if reward is None:
            raise Refusal(160321, "Reward is not active")
        if self.is_locked:
            # The error code is not documented: the generic one is assumed.
            raise Refusal(0, "Claim temporarily locked")
        price, value = reward.points, reward.value
        if reward.exchange_rate:
            price = int(form.get("points") or 0)
            if price <= 0 or price % max(reward.price_step, 1) or price > (reward.max_price or price):
                raise Refusal(0, "Invalid points")
            value = price * reward.exchange_rate / 100
        if refusal := self._refusal(customer, reward, price):
            raise refusal
        reward.stock -= 1
        customer.spent += price
        has_coupon = bool(reward.coupon_type)
        coupon = self._workspace.new_coupon(customer, reward, value) if has_coupon else None
        code = coupon.code if coupon else ""
        event = customer.note("reward", -price, reward=reward_id, coupon=code)
        shown: Json = {"spent": customer.spent, "id": event.event_id, "last_claimed_at": now_text()}
        if coupon:
            shown["coupon"] = {**coupon.as_json(), "customer": {"id": customer.customer_id}}
            self._workspace.tell(
                {
                    "eventName": "voucher_claimed",
                    "consentGuid": customer.customer_id,
                    "voucherCode": coupon.code,
                    "voucherStatus": coupon.status,
                    "voucherType": coupon.type,
                    "value": str(coupon.value),
                    "voucherName": coupon.name,
                    "claimedAt": coupon.claimed_at,
                }
            )
        return answer(shown)

    def revoke(self, request: Request, customer_id: str, reward_id: str) -> Response:
        """Give points back, make the coupon invalid, raise the stock (assumed)."""
        customer = self._workspace.customer(customer_id)
        wanted = check(_form(request), {"event": "string*"})["event"]
        event = next((e for e in customer.events if e.event_id == wanted and e.action == "reward"), None)
        if event is None or event.properties["reward"] != reward_id:
            raise Refusal(160340, "Event not found")
        if event.is_revoked:
            raise Refusal(160344, "Claim event already revoked")
        event.is_revoked = True
        customer.spent += event.points
        customer.note("reward_revoke", -event.points, reward=reward_id)
        self._workspace.rewards[reward_id].stock += 1
        if coupon := self._workspace.coupons.get(event.properties.get("coupon", "")):
            coupon.status = "invalid"
        # An empty object, as PHP writes it.
        return answer([])

    def claim_offer(self, request: Request, customer_id: str, offer_id: str) -> Response:
        """Return only the coupon, as in the example."""
        customer = self._workspace.customer(customer_id)
        offer = self._workspace.offers.get(offer_id)
        if offer is None:
            raise not_found("Offer not found")
        if customer.status != "active":
            return answer([])
        reward = Reward(
            reward_id=offer_id,
            title=offer["name"],
            points=0,
            coupon_type="percentage",
            value=Decimal(str(offer["discount"]["value"])),
        )
        coupon = self._workspace.new_coupon(customer, reward, reward.value)
        return answer(coupon.as_json())

    def _reward(self, customer: Customer, reward: Reward) -> Json:
        pairs = {
            "discount_type": reward.coupon_type or reward.type,
            "discount_value": str(reward.value),
            "discount_minimum": str(reward.minimum),
            "discount_skus": reward.skus,
        }
        complete = {
            "method": "POST",
            "url": f"/customers/{customer.customer_id}/activities/rewards/{reward.reward_id}/claim",
        }
        can_claim = self._refusal(customer, reward, reward.points) is None
        return {
            "id": reward.reward_id,
            "title": {"en": reward.title},
            "description": reward.description,
            "type": reward.type,
            "status": reward.status,
            "points": reward.points,
            "stock": reward.stock,
            "max_claims": reward.max_claims,
            "coupon_pool": f"pool-{reward.reward_id}" if reward.coupon_type else None,
            "stores": [],
            "exchange_rate": float(reward.exchange_rate) or None,
            "price_step": reward.price_step or None,
            "max_price": reward.max_price or None,
            "claims": {"claims": self._claimed(customer, reward)},
            "custom_data": pairs,
            "_actions": {"complete": complete} if can_claim else [],
        }

    def _claimed(self, customer: Customer, reward: Reward) -> int:
        mine = [e for e in customer.events if e.action == "reward" and not e.is_revoked]
        return sum(event.properties["reward"] == reward.reward_id for event in mine)

    def _refusal(self, customer: Customer, reward: Reward, price: int) -> Refusal | None:
        if reward.status != "active":
            return Refusal(160321, "Reward is not active")
        if reward.stock <= 0:
            return Refusal(120212, "Sorry, all gone!")
        if reward.max_claims and self._claimed(customer, reward) >= reward.max_claims:
            return Refusal(120211, "Once per customer, please.")
        if reward.segment and self._workspace.tiers[self._workspace.tier_of(customer)][1] != reward.segment:
            return Refusal(120213, "For Gold members only.")
        if price > customer.spendable:
            return Refusal(120241, "Not enough points")
        if customer.status == "suspended":
            return Refusal(110003, "Customer is not allowed to spend")
        return None


def _form(request: Request) -> dict[str, str]:
    if request.mimetype == "application/json":
        raise Refusal(0, "Unsupported content type")
    return request.form.to_dict()
