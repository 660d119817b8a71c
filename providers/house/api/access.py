"""Who may call: the key of the header, its limit, and the limit of failed attempts from one address."""

from dataclasses import dataclass

from django.http import HttpRequest

from providers.api_mounts import ApiHost
from providers.base import LoyaltyProvider
from providers.house.api.keys import Refused, recognise
from providers.house.api.models import ApiKey, Scope
from providers.house.api.problems import Problem
from providers.house.campaigns import Zone

FAILED_PER_MINUTE = 20
KIND = "house"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and the adapter of the program that it is about: the same that the tills use."""

    key: ApiKey
    house: LoyaltyProvider

    @property
    def program(self) -> str:
        return self.house.config.program

    @property
    def currency(self) -> str:
        return self.house.config.currency

    @property
    def zone(self) -> Zone:
        return Zone(time_zone=self.house.config.time_zone, country=self.house.config.country)


def admit(request: HttpRequest, host: ApiHost, program: str, scope: Scope) -> Caller:
    """Return the caller; raise Problem for one without a valid key, without the scope, or with too many
    calls."""
    key = _key_of(request, host, program)
    if wait_s := host.wait_s("house-api", str(key.pk), key.calls_per_minute, 60):
        raise Problem("too_many_calls", retry_after=wait_s)
    if scope.value not in key.scopes:
        raise Problem("scope_missing", scope=scope.value)
    house = host.active_provider(program)
    if house is None or house.kind != KIND:
        raise Problem("not_found")
    return Caller(key=key, house=house)


def _key_of(request: HttpRequest, host: ApiHost, program: str) -> ApiKey:
    """Return the valid key of the request. Failed attempts count by address; above the limit no attempt from
    there is looked at."""
    address = host.caller_of(request)
    if wait_s := host.wait_s_uncounted("house-api-failed", address, FAILED_PER_MINUTE, 60):
        raise Problem("too_many_calls", retry_after=wait_s)
    word, _, text = request.headers.get("Authorization", "").partition(" ")
    found = recognise(program, text.strip()) if word.lower() == "bearer" else Refused.UNKNOWN
    if isinstance(found, ApiKey):
        return found
    host.wait_s("house-api-failed", address, FAILED_PER_MINUTE, 60)
    raise Problem(found.value if text else "key_missing")
