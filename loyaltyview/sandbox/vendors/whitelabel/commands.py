"""The commands: purchase, redeem, validate, adjust.
Source: docs/contracts/whitelabel.md 2.4, 2.5, 2.6, 2.7."""

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import Json, timestamp
from loyaltyview.sandbox.vendors.whitelabel.answers import Fail, check_text, read_body, success
from loyaltyview.sandbox.vendors.whitelabel.state import State


class Commands:
    def __init__(self, state: State) -> None:
        self._state = state
        # A tenant whose STATIC codes are known to the engine; the guides do not say whether they are.
        self.validates_static = True
        # Whether the user of a validation decides whose STATIC code is meant.
        self.picks_static_by_user = True

    def purchase_reward(self, request: Request) -> Response:
        body = read_body(request, {"rewardId": "string*", "beneficiaryId": "string", "comment": "string"})
        reward = self._state.rewards.get(body["rewardId"])
        if reward is None:
            raise Fail(404, "reward not found")
        if "beneficiaryId" not in body:
            raise Fail(400, "validation failed", ["beneficiaryId: an administrator must name a user"])
        user = self._state.user(body["beneficiaryId"])
        return success(self._state.purchase(user, reward, body.get("comment", "")))

    def redeem_benefit(self, request: Request) -> Response:
        body = read_body(request, {"benefitId": "string*", "position": "object"})
        benefit = self._state.benefits.get(body["benefitId"])
        if benefit is None:
            raise Fail(404, "benefit not found")
        if benefit["redeemedAt"]:
            raise Fail(409, "benefit was redeemed already")
        if benefit["expiresAt"] and benefit["expiresAt"] < timestamp():
            raise Fail(400, "benefit is expired")
        self._state.reveal(benefit)
        owner = self._state.user(benefit["owner"]["id"])
        code = benefit["code"]["value"] if benefit["code"] else None
        self._state.emit("REDEEMED_VOUCHER", owner, {"benefitId": benefit["id"], "code": code})
        return success(benefit)

    def validate_voucher(self, request: Request) -> Response:
        body = read_body(
            request,
            {
                "code": "string*",
                "allowFutureValidation": "boolean",
                "userIdentifier": "string",
                "venueIdentifier": "string",
                "position": "object",
            },
        )
        for name in ("code", "userIdentifier", "venueIdentifier"):
            check_text(body, name, 512)
        benefit = self._with_code(body["code"], body.get("userIdentifier"))
        if benefit["burnedAt"]:
            raise Fail(409, "voucher was burned already")
        owner = self._state.user(benefit["owner"]["id"])
        if "userIdentifier" in body and self._state.subject(body["userIdentifier"]) is not owner:
            raise Fail(400, "voucher belongs to somebody else")
        benefit["code"]["validatedAt"] = benefit["code"]["validatedAt"] or timestamp()
        if not body.get("allowFutureValidation"):
            benefit["burnedAt"] = timestamp()
            self._state.emit("BURNED_VOUCHER", owner, {"benefitId": benefit["id"]})
        return success({**benefit, "discounts": benefit["reward"]["discounts"]})

    def adjust_points(self, request: Request) -> Response:
        body = read_body(
            request,
            {
                "points": "number*",
                "actorId": "string*",
                "comment": "string",
                "impactType": "string",
                "liabilityHandlingPolicy": "string",
            },
        )
        if body.get("impactType", "EARN") not in ("EARN", "SPEND", "NONE"):
            raise Fail(400, "validation failed", ["impactType: EARN, SPEND or NONE"])
        user = self._state.user(body["actorId"])
        payload = {"points": body["points"], "comment": body.get("comment")}
        event = self._state.emit("POINTS_ADJUSTED", user, payload)
        self._state.move(user["id"], body["points"], event["id"], earns=body.get("impactType") == "EARN")
        return success(event)

    def _with_code(self, code: str, user: str | None) -> Json:
        """Return a benefit with a code that can be validated; only redeemed ones have it. Several have a
        STATIC code: the one of `user` counts, else the first."""
        found = [row for row in self._state.benefits.values() if row["code"] and row["code"]["value"] == code]
        if not self.validates_static:
            found = [row for row in found if row["reward"]["codeType"] != "STATIC"]
        if not found:
            raise Fail(404, "voucher not found")
        owner = self._state.subject(user)["id"] if user and self.picks_static_by_user else None
        return next((row for row in found if row["owner"]["id"] == owner), found[0])
