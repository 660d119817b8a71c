"""Whether a program's connection to NewStore works, part by part, for "Test connection"."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.utils.translation import gettext as _

from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.data_query import orders_of, returns_of
from loyaltyview.newstore.errors import (
    NewStoreAuthFailed,
    NewStoreError,
    NewStoreRejected,
    NewStoreUnavailable,
)
from loyaltyview.newstore.tokens import fetch_token
from loyaltyview.programs.connections import Checked
from loyaltyview.programs.models import Program

TOKEN_S = 3.0
NOBODY = "connection-test@loyaltyview.invalid"


def check_newstore(program: Program) -> Iterable[Checked]:
    """Fetch a token, and read with it what the pages read. Stops at the first part that fails."""
    started, names = time.monotonic(), {"program": program.name}
    try:
        fetch_token(program, TOKEN_S)
    except NewStoreAuthFailed as error:
        text = _("%(program)s: NewStore's token endpoint does not accept the client id and secret.")
        return [_failed(text % names, error)]
    except NewStoreUnavailable as error:
        return [_failed(_("%(program)s: NewStore's token endpoint cannot be reached.") % names, error)]
    except NewStoreError as error:
        return [_failed(_("%(program)s: NewStore's token endpoint gave no token.") % names, error)]
    client = NewStoreClient(program)
    try:
        client.find_profiles(NOBODY)
    except NewStoreError as error:
        return [_failed(_api_text(error, _("customer profiles")) % names, error)]
    if program.newstore_check_carts and (refused := _cart_error(client)):
        return [_failed(_api_text(refused, _("carts")) % names, refused)]
    if program.newstore_find_missed_events and (refused := _data_error(program)):
        return [_failed(_api_text(refused, _("GraphQL")) % names, refused)]
    shown = {**names, "latency": round((time.monotonic() - started) * 1000)}
    text = _("%(program)s: connected to NewStore, token and API, in %(latency)d ms.")
    return [Checked(is_ok=True, text=text % shown)]


def _cart_error(client: NewStoreClient) -> NewStoreError | None:
    try:
        client.get_cart(str(uuid4()))
    except NewStoreRejected as error:
        return None if error.status == 404 else error  # NewStore answered: there is no such cart
    except NewStoreError as error:
        return error
    return None


def _data_error(program: Program) -> NewStoreError | None:
    now = datetime.now(UTC)
    try:
        orders_of(program, now - timedelta(minutes=1), now)
        returns_of(program, now - timedelta(minutes=1), now)
    except NewStoreError as error:
        return error
    return None


def _api_text(error: NewStoreError, what: str) -> str:
    if isinstance(error, NewStoreAuthFailed):
        text = _("%%(program)s: NewStore gives a token, but its API does not let us read %(what)s.")
    elif isinstance(error, NewStoreUnavailable):
        text = _("%%(program)s: NewStore gives a token, but its API cannot be reached (%(what)s).")
    else:
        text = _("%%(program)s: NewStore's API gave an answer that is not understood (%(what)s).")
    return text % {"what": what}


def _failed(text: str, error: NewStoreError) -> Checked:
    reference = f"(NewStore {error.request_id})" if error.request_id else ""
    return Checked(is_ok=False, text=" ".join(filter(None, (text, error.detail, reference))))
