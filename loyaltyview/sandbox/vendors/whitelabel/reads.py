"""Users, wallets, benefits, rewards, tiers, venues, settings.
Source: docs/contracts/whitelabel.md 2.1 to 2.3, 2.6, 2.9, 2.10."""

import re

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import Json
from loyaltyview.sandbox.vendors.whitelabel import sample
from loyaltyview.sandbox.vendors.whitelabel.answers import (
    Fail,
    check_locale,
    check_text,
    matches,
    page,
    read_body,
    read_list,
    success,
)
from loyaltyview.sandbox.vendors.whitelabel.state import State

LOCALE = frozenset({"locale"})
USER = {
    "profile": "object*",
    "authIdentifier": "string",
    "externalIdentifier": "string",
    "referralInviteCode": "string",
    "userToken": "string",
    "flags": "object",
    "isRestricted": "boolean",
    "linkedVenues": "array",
    "consentsDefinition": "array",
}
PROFILE = {
    "familyName": 64,
    "givenName": 64,
    "emailAddress": 320,
    "gender": 16,
    "birthdate": 10,
    "country": 2,
    "city": 256,
    "postcode": 128,
    "region": 128,
    "streetAddress": 64,
    "telephoneNumber": 64,
    "pictureUrl": 2048,
}
NEEDED = ("familyName", "givenName", "emailAddress")


class Reads:
    def __init__(self, state: State) -> None:
        self._state = state
        self.ignores_owner_filter = False
        self.hides_owners = False
        self.venue_rows = sample.VENUES

    def users(self, request: Request) -> Response:
        if request.method == "POST":
            return success(self._register(request), 201)
        asked = read_list(request)
        return success(
            page([row for row in self._state.users.values() if matches(row, asked["filter"])], asked)
        )

    def user(self, request: Request, user_id: str) -> Response:
        return success(self._state.user(user_id))

    def wallet(self, request: Request, user_id: str) -> Response:
        check_locale(request, allowed=LOCALE)
        wallet = self._state.wallet(self._state.user(user_id))
        return success({**wallet, "vouchers": [self._shown(row) for row in wallet["vouchers"]]})

    def consents(self, request: Request) -> Response:
        if request.method == "GET":
            asked = read_list(request)
            return success(
                page([row for row in self._state.consents if matches(row, asked["filter"])], asked)
            )
        body = read_body(request, {"type": "object*", "user": "object*"})
        kind = body["type"].get("id")
        if kind not in (sample.EMAIL_CONSENT, sample.SMS_CONSENT):
            raise Fail(404, "consent type not found")
        user = self._state.user(str(body["user"].get("id")))
        row = self._state.consent(user["id"], kind, checked=True)
        self._state.emit("CONSENT_GIVEN", user, {"consentTypeId": kind})
        return success(row, 201)

    def consent(self, request: Request, consent_id: str) -> Response:
        """Revoke a consent: its row stays, with the answer no."""
        for row in self._state.consents:
            if row["id"] == consent_id:
                row["checked"] = False
                self._state.emit("CONSENT_REVOKED", self._state.user(row["user"]["id"]), {})
                return Response("", 204)
        raise Fail(404, "consent not found")

    def benefits(self, request: Request) -> Response:
        more = frozenset({"redeemable", "userId"})
        asked = read_list(request, more=more, needs_order=False)
        wanted: Json = asked["filter"]
        if "userId" in request.args:
            wanted = {**wanted, "owner": {"id": request.args["userId"]}}
        if self.ignores_owner_filter:
            wanted = {}
        rows = [row for row in self._state.benefits.values() if matches(row, wanted)]
        if request.args.get("redeemable") == "true":
            rows = [row for row in rows if not row["redeemedAt"]]
        return success([self._shown(row) for row in page(rows, asked)])

    def benefit(self, request: Request, benefit_id: str) -> Response:
        check_locale(request, allowed=LOCALE)
        if benefit_id not in self._state.benefits:
            raise Fail(404, "benefit not found")
        return success(self._state.benefits[benefit_id])

    def rewards(self, request: Request, user: Json | None = None) -> Response:
        """Return all rewards to an administrator, and to a user those that their audiences see."""
        asked = read_list(request, more=frozenset({"completelySkipInvisible"}))
        found = [row for row in self._state.rewards.values() if matches(row, asked["filter"])]
        if user is not None:
            found = [row for row in found if self._is_for(user, row)]
        return success(page(found, asked))

    def _is_for(self, user: Json, reward: Json) -> bool:
        wanted = {audience["id"] for audience in reward.get("purchasableForAudiences", [])}
        return not wanted or bool(wanted & self._state.audiences.get(user["id"], set()))

    def reward(self, request: Request, reward_id: str) -> Response:
        check_locale(request, allowed=LOCALE)
        if reward_id not in self._state.rewards:
            raise Fail(404, "reward not found")
        return success(self._state.rewards[reward_id])

    def tiers(self, request: Request) -> Response:
        check_locale(request, allowed=LOCALE)
        return success(sample.TIERS)

    def venues(self, request: Request) -> Response:
        return success(page(self.venue_rows, read_list(request, more=frozenset({"distance"}))))

    def setting(self, request: Request, name: str) -> Response:
        if not re.fullmatch(r"[a-zA-Z./]{2,64}", name):
            raise Fail(400, "validation failed", ["name: not valid"])
        if name not in sample.SETTINGS:
            raise Fail(404, "setting not found")
        return success({"name": name, "value": sample.SETTINGS[name]})

    def _shown(self, benefit: Json) -> Json:
        return {name: value for name, value in benefit.items() if name != "owner" or not self.hides_owners}

    def _register(self, request: Request) -> Json:
        body = read_body(request, USER)
        profile = body["profile"]
        unknown = set(profile) - set(PROFILE) - {"attributes"}
        missing = [name for name in NEEDED if name not in profile]
        if unknown or missing:
            raise Fail(400, "validation failed", sorted(unknown) + missing)
        for name, longest in PROFILE.items():
            check_text(profile, name, longest)
        check_text(profile, "emailAddress", 320, r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
        for consent in body.get("consentsDefinition", []):
            kind = consent.get("type", {}).get("id")
            if kind not in (sample.EMAIL_CONSENT, sample.SMS_CONSENT) or not isinstance(
                consent.get("checked"), bool
            ):
                raise Fail(400, "validation failed", ["consentsDefinition: not valid"])
        return self._state.add_user(body)
