"""The door of the API. It is imported with the pages, so it imports neither pydantic nor the calls: they
cost 13 MB of memory, which a process without a web shop saves (decision 0051)."""

from importlib import import_module

import structlog
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt

from providers.api_mounts import ApiHost
from providers.house.api.problems import Problem, answer_of

log = structlog.get_logger(__name__)

CALLS = "providers.house.api.calls"


@csrf_exempt  # calls carry a key, never a cookie
def call(request: HttpRequest, *, host: ApiHost, program: str, rest: str) -> HttpResponse:
    """Answer one call of a web shop about `program`."""
    try:
        match = resolve(f"/{rest}", urlconf=f"{CALLS}.urls")
    except Resolver404:
        return answer_of(Problem("not_found"))
    vars(request).update(api_host=host, api_program=program)
    answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
    if answer.status_code == 405:
        allowed = answer["Allow"]
        answer = answer_of(Problem("method_not_allowed"))
        answer["Allow"] = allowed
    answer["Cache-Control"] = "no-store"
    return answer


def document(request: HttpRequest, *, host: ApiHost) -> HttpResponse:
    """Answer with the OpenAPI document. It says nothing about any program, so it needs no key."""
    answer: HttpResponse = import_module(f"{CALLS}.document").answer()
    return answer
