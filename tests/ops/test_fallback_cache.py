"""Redis is away or hangs: each process uses a cache of its own, and no request fails."""

import socket
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from loyaltyview.ops import fallback_cache
from loyaltyview.ops.fallback_cache import FallbackRedisCache


@pytest.fixture(autouse=True)
def _redis_is_thought_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback_cache._Redis, "away_until", 0.0)


@pytest.fixture(params=["gone", "hangs"])
def cache(request: pytest.FixtureRequest) -> Iterator[FallbackRedisCache]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if request.param == "gone":
            server.close()
        cache = FallbackRedisCache(f"redis://127.0.0.1:{port}/0", {})
        yield cache
        cache.clear()


def test_breakers_limits_and_catalogues_work_within_the_process(cache: Any) -> None:
    assert cache.get("absent") is None
    cache.set("token", "t", 60)
    assert cache.get("token") == "t"
    assert [cache.add("probe", 1, timeout=60), cache.add("probe", 1, timeout=60)] == [True, False]
    with pytest.raises(ValueError):  # noqa: PT011 - as every cache does
        cache.incr("count")
    cache.add("count", 0, timeout=60)
    assert [cache.incr("count"), cache.incr("count")] == [1, 2]
    assert cache.get_many(["token", "count", "absent"]) == {"token": "t", "count": 2}
    cache.set_many({"a": 1})
    cache.delete_many(["token", "count"])
    assert [cache.has_key("a"), cache.has_key("token")] == [True, False]
    assert cache.touch("a")
    assert cache.delete("a")


def test_redis_is_asked_once_and_then_not_for_a_while(cache: Any) -> None:
    client = type(cache._cache)
    with patch.object(client, "get", autospec=True, side_effect=client.get) as asked:
        for _ in range(20):
            cache.get("absent")
        assert asked.call_count == 1
        fallback_cache._Redis.away_until = 1e-9
        cache.get("absent")
        assert asked.call_count == 2


def test_a_redis_that_answers_is_used() -> None:
    cache: Any = FallbackRedisCache("redis://127.0.0.1:1/0", {})
    with patch.object(type(cache._cache), "get", return_value="from Redis"):
        assert cache.get("key") == "from Redis"
    assert fallback_cache._Redis.away_until == 0
