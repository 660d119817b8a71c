"""What every call shares: the caller with the scope that the call needs, and the member that it is about."""

from typing import Any

from django.http import HttpRequest

from providers.house.api.access import Caller, admit
from providers.house.api.models import Scope
from providers.house.api.problems import Problem
from providers.house.models import Member


def scoped(scope: Scope) -> dict[str, Any]:
    """Return the options of a call that needs `scope`."""

    def auth(request: HttpRequest) -> Caller:
        given = vars(request)
        return admit(request, given["api_host"], given["api_program"], scope)

    return {"auth": auth, "openapi_extra": {"security": [{"ApiKey": [scope.value]}]}}


def caller_of(request: HttpRequest) -> Caller:
    """Return the caller whom `scoped` admitted."""
    caller: Caller = vars(request)["auth"]
    return caller


def member_of(request: HttpRequest, member: str) -> Member:
    """Return the program's member with this id of the API; raise Problem."""
    members = Member.objects.filter(program=caller_of(request).program)
    found = members.filter(pk=int(member.removeprefix("mem_"))).first()
    while found and found.merged_into_id:  # the card was merged into another one
        found = members.filter(pk=found.merged_into_id).first()
    if found is None:
        raise Problem("member_not_found")
    return found
