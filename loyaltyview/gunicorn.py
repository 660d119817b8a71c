"""gunicorn's configuration: `gunicorn -c loyaltyview/gunicorn.py loyaltyview.wsgi`.

One process with many threads: pages wait for vendors, waiting threads are cheap, and a second process costs
memory. Measured: for a page with two vendor reads, 32 threads have half the latency of eight processes and
use a fifth of the memory. The worker class is ours: see decision 0016.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

# gunicorn reads this file before the working directory is importable.
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loyaltyview.settings")

from django.conf import settings  # noqa: E402
from django.core.exceptions import ImproperlyConfigured  # noqa: E402

try:
    settings.SECRET_KEY  # noqa: B018 - reads them all
except ImproperlyConfigured as error:
    sys.exit(f"loyaltyview cannot start: {error}")

MOST_CONNECTIONS = 4096
# Files that a process opens besides connections of clients: to the database and vendors, logs.
FILES_OF_OUR_OWN = 256


def open_files_allowed() -> int:
    """Raise the process's limit of open files as far as allowed, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST_CONNECTIONS + FILES_OF_OUR_OWN
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


bind = f"{settings.WEB_HOST}:{settings.PORT}"
worker_class = "loyaltyview.server.worker.BufferedThreadWorker"
workers = settings.WEB_PROCESSES
threads = settings.WEB_THREADS
timeout = 30
graceful_timeout = 30
keepalive = 5
# The worker has its own limit: gunicorn allows 8190 or any length, and a launch address with a cart is
# longer.
limit_request_line = 0
# A connection that is sent a file has two open files.
worker_connections = max((open_files_allowed() - FILES_OF_OUR_OWN) // 2, 2 * settings.WEB_THREADS)
max_requests = settings.WEB_MAX_REQUESTS
max_requests_jitter = settings.WEB_MAX_REQUESTS // 10
# The heartbeat file must not lie on a disk that can block.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
# django-structlog logs requests, without query strings and personal data.
accesslog = None
loglevel = settings.LOG_LEVEL.lower()


def on_starting(_server: Any) -> None:
    """Run Django's checks before the server listens: gunicorn runs none. They run in a separate process,
    so that a reload (SIGHUP) checks the new code."""
    checked = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, str(ROOT / "manage.py"), "check"], stdout=subprocess.DEVNULL, check=False
    )
    if checked.returncode:
        sys.exit("loyaltyview cannot start: see above what is wrong.")


def post_worker_init(worker: Any) -> None:
    """Warm the process up before it takes requests: `webview/warm_up.py`. A thread of those that serve pages
    does it, so that its connection to the database serves the first page."""
    from loyaltyview.ops.database import limit_web

    limit_web()
    worker.tpool.submit(_warm_up, worker.wsgi).result()


def _warm_up(application: Any) -> None:
    from loyaltyview.webview.warm_up import warm_up

    environ: dict[str, Any] = {"PATH_INFO": "/healthz", "HTTP_HOST": _own_host()}
    setup_testing_defaults(environ)
    response = application(environ, lambda status, headers, exc_info=None: None)
    for _chunk in response:
        pass
    response.close()
    warm_up()


def child_exit(_server: Any, worker: Any) -> None:
    """Remove the gauges of an ended process from /metrics."""
    if settings.PROMETHEUS_MULTIPROC_DIR:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def _own_host() -> str:
    hosts = [host.lstrip(".") for host in settings.ALLOWED_HOSTS if host != "*"]
    return hosts[0] if hosts else "localhost"
