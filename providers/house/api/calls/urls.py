"""All calls, and what becomes of an error in one: always problem+json."""

from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation

from providers.errors import Rejected
from providers.house.api.calls import carts, members, orders
from providers.house.api.calls.reading import MOST_BYTES, JsonParser
from providers.house.api.problems import Problem, answer_of, problem_of

log = structlog.get_logger(__name__)


class Api(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__  # generated clients name their methods by it


api = Api(
    title="LoyaltyView house program",
    version="1",
    description="Members, points and orders of a house program, for the retailer's web shop.",
    openapi_url=None,  # served without a program and without pydantic's page of documents
    docs_url=None,
    parser=JsonParser(),
    urls_namespace="house-api",
)
for router in (members.router, orders.router, carts.router):
    api.add_router("", router)


@api.exception_handler(Problem)
def refuse(request: HttpRequest, error: Problem) -> HttpResponse:
    return answer_of(error)


@api.exception_handler(Rejected)
def refuse_rejected(request: HttpRequest, error: Rejected) -> HttpResponse:
    return answer_of(problem_of(error))


@api.exception_handler(HttpError)
def refuse_unread(request: HttpRequest, error: HttpError) -> HttpResponse:
    """The library wraps what the parser raises."""
    cause = error.__cause__
    return answer_of(cause if isinstance(cause, Problem) else Problem("wrong_json"))


@api.exception_handler(ValidationError)
def refuse_fields(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return answer_of(Problem("invalid_field", errors=[_field_error(each) for each in error.errors][:20]))


@api.exception_handler(RequestDataTooBig)
def refuse_body(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    """The body is beyond what the server reads at all."""
    return answer_of(Problem("body_too_large", most_bytes=MOST_BYTES))


@api.exception_handler(DataError)
def refuse_large(request: HttpRequest, error: DataError) -> HttpResponse:
    """Points or an amount that no column holds: the rate of the program makes too many of them."""
    return answer_of(Problem("invalid_field", errors=[("total", "is too large")]))


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
@api.exception_handler(InternalError)
def say_busy(request: HttpRequest, error: Exception) -> HttpResponse:
    """The database is away, or a lock lasts too long: nothing was written."""
    log.error("house_api_without_database", exc_info=error)
    return answer_of(Problem("busy", retry_after=2))


@api.exception_handler(Exception)
def say_internal(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("house_api_failed", exc_info=error)
    return answer_of(Problem("internal"))


def _field_error(error: dict[str, Any]) -> tuple[str, str]:
    """Return field and message, without the library's own names for body and path."""
    source, *names = error["loc"]
    names = names[1:] if source == "body" else names
    message = str(error["msg"]).removeprefix("Value error, ")
    return ".".join(str(name) for name in names) or "body", message


urlpatterns = [path("", api.urls)]
