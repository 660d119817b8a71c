"""The work on any number of machines (WORK_ENGINE=procrastinate): jobs in PostgreSQL's own queue.

The rows stay the queue. A job only says "look": `drain` takes due rows as the plain worker does. So a job
that is lost, doubled or killed half-way loses and doubles nothing, and a sweep every few seconds looks too. A
constraint on events allows one lease per order, and `claim` passes over an order that has one.
"""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor

import structlog
from django.conf import settings
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.contrib.django import DjangoApp, connector_params
from procrastinate.jobs import Status

from loyaltyview.work import periodics
from loyaltyview.work.heartbeat import beating, worker_name
from loyaltyview.work.registry import sources, wake
from loyaltyview.work.waker import DRAIN
from loyaltyview.work.worker import drain

log = structlog.get_logger(__name__)

ROWS_PER_JOB = 100
# Every 5 seconds (the sixth field). Postponed rows are found by it.
SWEEP = "* * * * * */5"
HOURLY = "17 * * * *"
# A worker whose last sign of life is older is dead.
DEAD_AFTER_S = 60


def make_app() -> App:
    """Return procrastinate's app for a worker process, with its three tasks."""
    connector = PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=4)
    app = DjangoApp(connector=connector)

    @app.task(name=DRAIN, pass_context=True)
    def drain_rows(context: JobContext) -> None:
        """Handle due rows. A job that finds one queues the next, so workers join in while there is work. The
        last job finds nothing and queues none."""
        if not drain(1, context.should_abort):
            return
        wake()
        handled = drain(ROWS_PER_JOB, context.should_abort)
        if handled >= ROWS_PER_JOB or context.should_abort():
            wake()

    @app.periodic(cron=SWEEP)
    @app.task(name="sweep", queueing_lock="sweep")
    def sweep(timestamp: int) -> None:
        """Look for due rows without a job: postponed rows, lost jobs, expired leases of dead workers."""
        wake()
        periodics.run_due()

    @app.periodic(cron=HOURLY)
    @app.task(name="remove_jobs_of_the_dead", queueing_lock="remove_jobs_of_the_dead", pass_context=True)
    async def remove_jobs_of_the_dead(context: JobContext, timestamp: int) -> None:
        """A killed worker's jobs stay in state `doing` for ever; other workers have handled their rows."""
        manager = context.app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_S):
            await manager.finish_job(job, Status.ABORTED, delete_job=True)

    return app


def run_worker() -> bool:
    """Work until SIGTERM or SIGINT, and stop after the rows that were claimed. Return False when the worker
    ended by itself (the database is away): start the process again."""
    name = worker_name()
    with beating(name):
        log.info("worker_started", worker=name, sources=[source.name for source in sources])
        is_told_to_stop = asyncio.run(_work(name))
    log.info("worker_stopped", worker=name)
    return is_told_to_stop


async def _work(name: str) -> bool:
    loop = asyncio.get_running_loop()
    # The tasks' threads (the default is the number of cores plus four), and two that look up the database's
    # address.
    loop.set_default_executor(ThreadPoolExecutor(settings.WORK_CONCURRENCY + 2))
    app = make_app()
    async with app.open_async():
        working = asyncio.ensure_future(
            app.run_worker_async(
                name=name,
                concurrency=settings.WORK_CONCURRENCY,
                # 3.10 misses a notification that comes while it fetches. Then the next poll finds the job.
                fetch_job_polling_interval=settings.WORKER_POLL_S,
                delete_jobs="always",  # rows and log hold the results
                shutdown_graceful_timeout=0,  # sets `should_abort` at once; jobs are still waited for
                install_signal_handlers=False,
            )
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, working.cancel)
        try:
            await working
        except asyncio.CancelledError:
            return True
    return False
