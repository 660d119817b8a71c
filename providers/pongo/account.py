"""A program's connection to Pongo: the token in use, and whether Pongo last accepted it.

Read once, when the adapter is built: a page's reads run on pool threads, which have no database connection
of their own. Writes made there close the connection that they opened.
"""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import structlog
from django.db import DatabaseError, connection
from django.utils import timezone

from providers.errors import AuthFailed
from providers.pongo.models import Account, AccountState, Subscription
from providers.sealing import seal, unseal

log = structlog.get_logger(__name__)

NOTHING: dict[str, Any] = {
    "state": AccountState.NOT_CONNECTED,
    "base_url": "",
    "sealed_token": "",
    "merchant_id": "",
    "merchant_name": "",
    "expires_at": None,
}


def load(program: str, base_url: str) -> Account:
    """Return the program's connection, an unsaved empty one where there is none. A connection made at another
    address is deleted first: its token must not be sent to the new address."""
    account = Account.objects.filter(program=program).first() or Account(program=program)
    if account.sealed_token and account.base_url != address_of(base_url):
        forget(account)
        account = Account.objects.filter(program=program).first() or Account(program=program)
    return account


def address_of(base_url: str) -> str:
    """Return the address as it is stored with a token."""
    return base_url.rstrip("/")[:200]


def forget(account: Account) -> None:
    """Delete the token, the secret and the subscriptions of a connection to another address, unless an
    administrator has connected again meanwhile."""
    forgotten = Account.objects.filter(pk=account.pk, sealed_token=account.sealed_token).update(
        **NOTHING, sealed_signing_secret=""
    )
    if forgotten:
        Subscription.objects.filter(program=account.program).delete()
        log.warning("disconnected", program=account.program, reason="the address has changed")


def token_of(account: Account, pasted: str) -> str:
    """Return the token to send: the connection's, else the pasted one. Raises AuthFailed without any."""
    token = unseal(account.sealed_token) or pasted
    if not token:
        raise AuthFailed("not connected")
    return token


def connect(
    program: str, *, base_url: str, token: str, expires_in_s: int | None, merchant: tuple[str, str]
) -> Account:
    """Store a token that works at this address, in place of any other. `merchant` is its id and name."""
    now = timezone.now()
    account, _created = Account.objects.update_or_create(
        program=program,
        defaults={
            "state": AccountState.CONNECTED,
            "merchant_id": merchant[0][:100],
            "merchant_name": merchant[1][:200],
            "base_url": address_of(base_url),
            "sealed_token": seal(token),
            "connected_at": now,
            "expires_at": now + timedelta(seconds=expires_in_s) if expires_in_s else None,
        },
    )
    return account


def disconnect(program: str) -> None:
    """Delete the token. A pasted one in the program's settings is kept."""
    Account.objects.filter(program=program).update(**NOTHING)


def note_works(program: str) -> None:
    """Pongo accepted the token again."""
    Account.objects.filter(program=program, state=AccountState.NEEDS_RECONNECT).update(
        state=AccountState.CONNECTED
    )


def note_refused(program: str, sealed_token: str) -> None:
    """Pongo answered 401 to this very token. Never raises: the caller raises its own error."""
    with passing():
        noted = Account.objects.filter(
            program=program, sealed_token=sealed_token, state=AccountState.CONNECTED
        ).update(state=AccountState.NEEDS_RECONNECT)
        if noted:
            log.error("needs_reconnect", program=program)


@contextlib.contextmanager
def passing() -> Iterator[None]:
    """Use the database from any thread; an error does not reach the caller."""
    try:
        yield
    except DatabaseError as error:
        log.warning("database_in_passing", error=type(error).__name__)
    finally:
        if not connection.in_atomic_block:
            connection.close()
