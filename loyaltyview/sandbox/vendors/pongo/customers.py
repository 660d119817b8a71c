"""Customers: look-up, list, create, update (docs/contracts/pongo.md 3)."""

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.pongo import validation
from loyaltyview.sandbox.vendors.pongo.sample import Store
from loyaltyview.sandbox.vendors.pongo.state import Book
from loyaltyview.sandbox.vendors.pongo.validation import Json, answer, invalid, read_body, wrapped

FIELDS = {
    "international_phone_number": validation.phone,
    "store_id": validation.string,
    "reference_store_slug": validation.string,
    "email": validation.email,
    "tags": validation.strings,
    "has_optin": validation.boolean,
    "has_optin_sms": validation.boolean,
    "has_optin_email": validation.boolean,
    "points": validation.integer,
    "first_name": validation.string,
    "last_name": validation.string,
    "gender": validation.gender,
    "birthday": validation.past_day,
    "pin": validation.pin,
}
CREATE_FIELDS = {**FIELDS, "payment_method_hash": validation.string}
PER_PAGE = 50


class Customers:
    """With `ignores_filters` the list answers all customers for every filter."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.ignores_filters = False

    def list(self, request: Request) -> Response:
        found = list(self.book.customers.values())
        if not self.ignores_filters:
            if email := request.args.get("email"):
                found = [c for c in found if (c.email or "").casefold() == email.casefold()]
            if phone := validation.phone_digits(request.args.get("international_phone_number", "")):
                found = [c for c in found if c.phone == phone]
        page = max(1, request.args.get("page", 1, type=int))
        shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
        last = max(1, -(-len(found) // PER_PAGE))
        meta = {"current_page": page, "last_page": last, "per_page": PER_PAGE, "total": len(found)}
        return answer({"data": [customer.as_json() for customer in shown], "meta": meta})

    def read(self, _request: Request, customer_id: str) -> Response:
        return wrapped(self.book.customer(customer_id).as_json())

    def read_by_phone(self, request: Request, phone: str) -> Response:
        found = self.book.by_phone(validation.phone_digits(phone))
        if found is None:
            raise validation.not_found()
        return Response(status=200) if request.method == "HEAD" else wrapped(found.as_json())

    def create(self, request: Request) -> Response:
        body = read_body(request, CREATE_FIELDS, frozenset({"international_phone_number"}))
        if "+" in body["international_phone_number"]:
            raise invalid(international_phone_number="No leading + here.")
        if body.get("reference_store_slug") is None and body.get("store_id") is None:
            raise invalid(reference_store_slug="This field is required.")
        if body.get("payment_method_hash") == "unknown":
            raise invalid(payment_method_hash="This is invalid.")
        phone = validation.phone_digits(body["international_phone_number"])
        if self.book.by_phone(phone):
            raise invalid(international_phone_number="This phone number has already been taken.")
        store = self._store_of(body)
        customer = self.book.add_customer(phone)
        customer.store = store
        self.book.fill(customer, body)
        self.book.tell("customer.created", customer)
        return wrapped(customer.as_json(), 201)

    def update(self, request: Request, customer_id: str) -> Response:
        customer = self.book.customer(customer_id)
        body = read_body(request, FIELDS)
        self._store_of(body)
        if phone := validation.phone_digits(body.get("international_phone_number")):
            other = self.book.by_phone(phone)
            if other and other is not customer:
                raise invalid(international_phone_number="This phone number has already been taken.")
            customer.phone = phone
        self.book.fill(customer, body)
        self.book.tell("customer.updated", customer)
        return wrapped(customer.as_json())

    def _store_of(self, body: Json) -> Store | None:
        slug, public_id = body.get("reference_store_slug"), body.get("store_id")
        if slug is None and public_id is None:
            return None
        for store in self.book.stores:
            if store.slug == slug or store.public_id == public_id:
                return store
        raise invalid(reference_store_slug="The selected store is invalid.")
