"""Django's PostgreSQL backend with time limits: to connect, for a statement, for a lost network.

The server's own limit (statement_timeout) does not help when the server is frozen, so the client has one too.
"""

import math
import time
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg.errors import _WaitTimeout

from loyaltyview.ops.database import statement_limit_s

# The smallest that libpq takes.
CONNECT_S = 2
# The server's error says more than ours, so its limit ends first.
CLIENT_LATER_S = 0.25
HEALTH_CHECK_S = 0.75
# A server that has just not answered is not asked for so long.
NOT_ASKED_S = 1.0
TCP = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 3000,
}


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server does not answer in time."""

    limit_s = math.inf

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        limit_s = min(statement_limit_s() + CLIENT_LATER_S, self.limit_s)
        if timeout is not None or limit_s == math.inf:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, limit_s)
        except _WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"the database did not answer within {limit_s:g} s") from None


class _Psycopg:
    """The module psycopg, whose `connect` makes bounded connections."""

    not_asked_until = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)

    def connect(self, **parameters: Any) -> BoundedConnection:
        if time.monotonic() < self.not_asked_until:
            raise psycopg.OperationalError("the database did not answer a moment ago")
        try:
            return BoundedConnection.connect(**parameters)
        except psycopg.errors.ConnectionTimeout:
            self.not_asked_until = time.monotonic() + NOT_ASKED_S
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    """The engine `loyaltyview.ops.postgresql`."""

    Database: Any = _Psycopg()

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        parameters = {"connect_timeout": CONNECT_S, **TCP, **parameters}
        limit_s = statement_limit_s()
        # A pooler refuses unknown options. Behind one, the role has the limits.
        if limit_s < math.inf and settings.PREPARED_STATEMENTS:
            limits = f"-c statement_timeout={round(limit_s * 1000)} -c lock_timeout={round(limit_s * 1000)}"
            parameters["options"] = f"{parameters.get('options', '')} {limits}".strip()
        return parameters

    def is_usable(self) -> bool:
        """Ask with a shorter limit than a statement has, so that time is left to connect again."""
        connection: Any = self.connection
        if connection is None:
            return False
        if statement_limit_s() < math.inf:
            connection.limit_s = HEALTH_CHECK_S
        try:
            return bool(super().is_usable())
        finally:
            connection.limit_s = math.inf
