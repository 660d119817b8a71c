"""Strict checks of requests: known fields of the right type; and Yotpo's refusals."""

from collections.abc import Mapping

from werkzeug.wrappers import Request

from loyaltyview.sandbox.answers import ApiError, Json, faults, read_json
from loyaltyview.sandbox.vendors.yotpo.state import Books, Customer

# The identifiers of a customer, and the field of each.
IDENTIFIERS = {
    "customer_email": "email",
    "customer_id": "third_party_id",
    "customer_external_id": "third_party_id",
    "pos_account_id": "pos_account_id",
    "phone_number": "phone_number",
}


def no_customer() -> ApiError:
    return ApiError(404, {"error": "Could not find customer"})


def invalid(field_name: str, problem: str) -> ApiError:
    """Return errors by field, as Rails writes them."""
    return ApiError(422, {field_name: [problem]})


def read_body(request: Request, shape: Mapping[str, str]) -> Json:
    """Return the JSON body; raise ApiError for unknown, missing or ill-typed fields."""
    body = read_json(request, lambda status, message, _causes: ApiError(status, {"error": message}))
    wrong = faults(body, shape)
    if wrong:
        raise ApiError(422, {"errors": wrong})
    return body


def read_query(request: Request, known: tuple[str, ...]) -> dict[str, str]:
    """Return the parameters; raise ApiError for an unknown or repeated one."""
    for name in request.args:
        if name not in known or len(request.args.getlist(name)) > 1:
            raise ApiError(422, {"errors": [f"{name}: unknown parameter"]})
    return request.args.to_dict()


def find_customer(books: Books, given: Mapping[str, object]) -> Customer:
    """Return the customer of the one identifier in `given`; raise ApiError."""
    named = {name: value for name, value in given.items() if name in IDENTIFIERS and value}
    if not named:
        raise ApiError(
            422, {"error": "customer_email, customer_id, phone_number or pos_account_id is required"}
        )
    name, value = next(iter(named.items()))
    customer = books.customer(IDENTIFIERS[name], str(value))
    if customer is None:
        raise no_customer()
    return customer
