"""Pages for machines: /healthz, /readyz, /metrics."""

import ipaddress
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from loyaltyview.ops.health import Check, run_checks, run_worker_checks
from loyaltyview.ops.metrics import database_text

# Headers that proxies add, besides X-Forwarded-For and the like.
OF_PROXIES = frozenset({"HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP"})


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. It asks nothing else: a restart does not bring a database back."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when this process can serve, else 503, with the state of each check. The worker does not count:
    without it the web process still serves pages and stores events."""
    return _answer(run_checks())


@require_safe
@never_cache
def readyz_worker(request: HttpRequest) -> JsonResponse:
    """200 when a worker does its work, else 503, with the state of each check."""
    return _answer(run_worker_checks())


def _answer(results: dict[str, Check]) -> JsonResponse:
    is_ready = all(check.is_ok for check in results.values())
    return JsonResponse(
        {
            "ready": is_ready,
            "checks": {name: {"ok": check.is_ok, "detail": check.detail} for name, check in results.items()},
        },
        status=200 if is_ready else 503,
    )


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, of all processes when PROMETHEUS_MULTIPROC_DIR is set."""
    if not _may_read_metrics(request):
        return HttpResponse("forbidden", status=403, content_type="text/plain")
    registry: CollectorRegistry = REGISTRY
    if settings.PROMETHEUS_MULTIPROC_DIR:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    text = generate_latest(registry) + database_text()
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _may_read_metrics(request: HttpRequest) -> bool:
    """With METRICS_TOKEN, a request needs it. Without, only this machine may read. A proxy on this machine
    connects from loopback too, so a forwarded request does not count as local."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return secrets.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    if any(name.startswith("HTTP_X_FORWARDED_") or name in OF_PROXIES for name in request.META):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:  # a Unix socket has no address
        return False
