"""Redemption options, redemptions, their codes and their cancellation.
Source: docs/contracts/yotpo.md 4 to 7."""

import secrets
from dataclasses import dataclass

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import ApiError, Json, answer
from loyaltyview.sandbox.vendors.yotpo.answers import (
    IDENTIFIERS,
    find_customer,
    invalid,
    read_body,
    read_query,
)
from loyaltyview.sandbox.vendors.yotpo.state import Books, Customer, Option, Redemption
from loyaltyview.sandbox.vendors.yotpo.views import code_json, customer_json, option_json, redemption_json
from loyaltyview.sandbox.vendors.yotpo.webhooks import Webhooks

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
MOST_CODES = 10_000
LOW = (1, 2, 4, 8)  # the threshold, a half, a quarter, an eighth of it; and 0

REDEEM = {
    "redemption_option_id": "number*",
    **dict.fromkeys(IDENTIFIERS, "string"),
    "delay_points_deduction": "boolean",
    "delayed_point_deduction": "boolean",
    "currency": "string",
    "points_to_redeem": "number",
}


@dataclass(slots=True, kw_only=True)
class RedemptionDesk:
    """With `hides_unaffordable` a customer is not shown options that cost too many points (not
    documented)."""

    books: Books
    webhooks: Webhooks
    currency: str
    hides_unaffordable: bool = False

    def options(self, request: Request) -> Response:
        query = read_query(
            request, ("is_offline", "customer_email", "customer_id", "phone_number", "discount_type")
        )
        found = list(self.books.options.values())
        if query.get("is_offline") == "true":
            found = [option for option in found if option.is_offline]
        if "discount_type" in query:
            found = [option for option in found if option.discount_type == query["discount_type"]]
        if any(name in query for name in ("customer_email", "customer_id", "phone_number")):
            customer = find_customer(self.books, query)
            found = [option for option in found if self._qualifies(customer, option)]
            if self.hides_unaffordable:
                found = [option for option in found if option.amount <= customer.points_balance]
        return answer([option_json(option) for option in found])

    def redeem(self, request: Request) -> Response:
        body = read_body(request, REDEEM)
        customer = find_customer(self.books, body)
        option = self.books.options.get(body["redemption_option_id"])
        if option is None or not self._qualifies(customer, option):
            raise invalid("redemption_option", "must exist")
        if body.get("currency", self.currency) != self.currency:
            raise invalid("currency", "is not a currency of this account")
        points = self._price(option, body)
        if points > customer.points_balance:
            raise invalid("amount", "is greater than the customer's balance")
        is_delayed = bool(body.get("delay_points_deduction") or body.get("delayed_point_deduction"))
        is_delayed = is_delayed and option.is_generic
        redemption = Redemption(
            id=next(self.books.ids),
            code_id=next(self.books.ids) - 5_000_000,
            option=option,
            customer=customer,
            points=points,
            code=self._code(option),
            state="pending_deduction" if is_delayed else "deducted",
            at=self.books.clock(),
        )
        if is_delayed:
            self._cancel_pending(customer)
        else:
            self.books.add_points(customer, -points, option.name, earned=False, status=redemption.code)
        self.books.redemptions[redemption.id] = redemption
        if not is_delayed:
            self.webhooks.topic(
                "swell/redemption/created",
                email=customer.email,
                customer=customer_json(self.books, customer),
                redemption=redemption_json(redemption),
                redemption_option=option_json(option),
            )
        return answer(redemption_json(redemption))

    def code(self, request: Request) -> Response:
        query = read_query(request, ("code", "third_party_id"))
        if not query.get("code") and not query.get("third_party_id"):
            raise ApiError(422, {"error": "code or third_party_id is required"})
        redemption = self.books.redemption_of(query.get("code", ""))
        return answer([code_json(redemption)] if redemption else [])

    def upload(self, request: Request) -> Response:
        body = read_body(request, {"redemption_option_id": "number*", "codes": "string*"})
        option = self.books.options.get(body["redemption_option_id"])
        if option is None or not option.is_custom:
            raise invalid("redemption_option", "must exist")
        codes = [code.strip() for code in body["codes"].split(",") if code.strip()]
        if len(codes) > MOST_CODES:
            raise invalid("codes", f"at most {MOST_CODES} at once")
        known = {*option.codes, *(each.code for each in self.books.redemptions.values())}
        new = [code for code in dict.fromkeys(codes) if code not in known]
        option.codes += new
        return answer({"uploaded": len(new)})

    def cancel(self, request: Request, redemption_id: int) -> Response:
        body = read_body(request, {"reward_text": "string*"})
        redemption = self.books.redemptions.get(redemption_id)
        if redemption is None:
            raise ApiError(404, {"error": "Could not find redemption"})
        if body["reward_text"] != redemption.code:
            raise invalid("reward_text", "does not match")
        if redemption.state == "cancelled":
            raise ApiError(422, {"error": "Redemption has already been cancelled"})
        if redemption.state == "used":
            raise ApiError(422, {"error": "The code was used in an order"})
        if redemption.state == "deducted":
            title = f"Cancelled: {redemption.option.name}"
            self.books.add_points(redemption.customer, redemption.points, title, earned=False)
        redemption.state = "cancelled"
        return answer(redemption_json(redemption))

    def ask_for_cancellation(self, code: str) -> None:
        """The shopper asks in the widget for a reversal of a redemption: it only sends a webhook."""
        redemption = self.books.redemption_of(code)
        if redemption is None:
            raise LookupError(code)
        self.webhooks.topic(
            "swell/point_redemption/cancellation_request",
            point_redemption_id=str(redemption.id),
            reward_text=redemption.code,
            customer=customer_json(self.books, redemption.customer),
        )

    def cancel_pending(self, email: str) -> None:
        """The customer makes another delayed redemption elsewhere: the waiting one is cancelled."""
        customer = self.books.customer("email", email)
        if customer is None:
            raise LookupError(email)
        self._cancel_pending(customer)

    def _qualifies(self, customer: Customer, option: Option) -> bool:
        tier = self.books.tier_of(customer)
        names = [each.name for each in self.books.tiers]
        return not option.tier or (tier is not None and names.index(tier.name) >= names.index(option.tier))

    def _price(self, option: Option, body: Json) -> int:
        if option.discount_rate_cents is None:
            if "points_to_redeem" in body:
                raise invalid("points_to_redeem", "is for variable options only")
            return option.amount
        points = body.get("points_to_redeem")
        if not isinstance(points, int) or points <= 0:
            raise invalid("points_to_redeem", "is required for variable options")
        return points

    def _code(self, option: Option) -> str:
        if not option.is_custom:
            return "LOY-" + "".join(secrets.choice(ALPHABET) for _ in range(6))
        if not option.codes:
            raise invalid("redemption_option", "has no codes available")
        code = option.codes.pop(0)
        left = len(option.codes)
        if left == 0 or left in {option.threshold // part for part in LOW}:
            self.webhooks.topic(
                "swell/redemption_code/below_threshold",
                redemption_option=option_json(option),
                redemption_option_id=option.id,
                redemption_option_name=option.name,
                number_of_unused_codes=left,
            )
        return code

    def _cancel_pending(self, customer: Customer) -> None:
        for each in self.books.redemptions.values():
            if each.customer is customer and each.state == "pending_deduction":
                each.state = "cancelled"
                self.webhooks.cancel_coupon(
                    {
                        "id": str(each.id),
                        "coupon_code": each.code,
                        "point_redemption_id": each.id,
                        "customer_email": customer.email,
                    }
                )
