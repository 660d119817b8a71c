"""A Redis cache that fails no request: while Redis is away, each process uses a cache of its own.

Breakers, rate limits, tokens and catalogues are then counted and kept per process, as with the default
cache. A Redis that hangs costs one caller a short time-out. Then it is not asked for some seconds.
"""

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = structlog.get_logger(__name__)

TIMEOUT_S = 0.3
NOT_ASKED_S = 5.0


class _Redis:
    """The state of Redis, shared by the threads of this process; each thread has its own cache object."""

    away_until = 0.0


class FallbackRedisCache(RedisCache):
    """The backend of CACHE_URL=rediscache://."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        options = {
            "socket_timeout": TIMEOUT_S,
            "socket_connect_timeout": TIMEOUT_S,
            "retry": Retry(NoBackoff(), 0),
            **params.get("OPTIONS", {}),
        }
        super().__init__(server, {**params, "OPTIONS": options})
        self._own = LocMemCache("fallback", {**params, "OPTIONS": {}})

    def _ask(self, ask_redis: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= _Redis.away_until:
            # Set before the attempt, so that no other thread waits for the same time-out.
            if _Redis.away_until:
                _Redis.away_until = time.monotonic() + NOT_ASKED_S
            try:
                answer = ask_redis(*args, **kwargs)
            except (RedisError, OSError) as error:
                _Redis.away_until = time.monotonic() + NOT_ASKED_S
                log.warning("cache_away", error=type(error).__name__)
            else:
                _Redis.away_until = 0.0
                return answer
        return getattr(self._own, ask_redis.__name__)(*args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask(super().add, *args, **kwargs)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask(super().get, *args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask(super().set, *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask(super().touch, *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask(super().delete, *args, **kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask(super().get_many, *args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask(super().has_key, *args, **kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask(super().incr, *args, **kwargs)

    def set_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask(super().set_many, *args, **kwargs)

    def delete_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask(super().delete_many, *args, **kwargs)

    def clear(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask(super().clear, *args, **kwargs)
