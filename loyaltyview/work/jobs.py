"""The work on any number of machines (WORK_ENGINE=procrastinate): jobs in PostgreSQL's own queue.

The rows stay the truth and the queue. A job only says "look": `drain` takes due rows as the plain worker
does, so a job that is lost, doubled or killed half-way loses and doubles nothing; the sweep, every few
seconds, looks too. The lock per order is not the job's either: the events' constraint holds it ("one event
per order in hand"), and `claim` passes over an order that is busy.
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
from loyaltyview.work.sources import sources, wake
from loyaltyview.work.waker import DRAIN
from loyaltyview.work.worker import drain

log = structlog.get_logger(__name__)

ROWS_PER_JOB = 100
# Every 5 seconds; the last of six fields are seconds. Rows that were postponed wait for it.
SWEEP = "* * * * * */5"
HOURLY = "17 * * * *"
# A worker without a sign of life for so long is dead.
DEAD_AFTER_S = 60


def make_app() -> App:
    """Return procrastinate's app for a worker process, with its three tasks."""
    connector = PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=4)
    app = DjangoApp(connector=connector)

    @app.task(name=DRAIN, pass_context=True)
    def drain_rows(context: JobContext) -> None:
        """Handle due rows. Whoever finds one calls the next: so as many workers join in as there is work
        for, and the last finds nothing and calls nobody."""
        if not drain(1, context.should_abort):
            return
        wake()
        handled = drain(ROWS_PER_JOB, context.should_abort)
        if handled >= ROWS_PER_JOB or context.should_abort():
            wake()

    @app.periodic(cron=SWEEP)
    @app.task(name="sweep", queueing_lock="sweep")
    def sweep(timestamp: int) -> None:
        """Whatever is due and nobody was called for: postponed rows, lost jobs, leases of the dead."""
        wake()
        periodics.run_due()

    @app.periodic(cron=HOURLY)
    @app.task(name="remove_jobs_of_the_dead", queueing_lock="remove_jobs_of_the_dead", pass_context=True)
    async def remove_jobs_of_the_dead(context: JobContext, timestamp: int) -> None:
        """A killed worker's jobs stay in hand for ever; their rows were handled by others long since."""
        manager = context.app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_S):
            await manager.finish_job(job, Status.ABORTED, delete_job=True)

    return app


def run_worker() -> bool:
    """Work until SIGTERM or SIGINT, and stop after the rows in hand. False when the worker ended without
    being told to (the database is away): the process should be started again."""
    name = worker_name()
    with beating(name):
        log.info("worker_started", worker=name, sources=[source.name for source in sources])
        was_told = asyncio.run(_work(name))
    log.info("worker_stopped", worker=name)
    return was_told


async def _work(name: str) -> bool:
    loop = asyncio.get_running_loop()
    # The tasks' threads (the default would be as many as there are cores, plus four), and two to look up
    # the database's address in.
    loop.set_default_executor(ThreadPoolExecutor(settings.WORK_CONCURRENCY + 2))
    app = make_app()
    async with app.open_async():
        working = asyncio.ensure_future(
            app.run_worker_async(
                name=name,
                concurrency=settings.WORK_CONCURRENCY,
                # 3.10 forgets a notification that comes while it fetches: then the next look finds the job.
                fetch_job_polling_interval=settings.WORKER_POLL_S,
                delete_jobs="always",  # the rows and the log say what became of them
                shutdown_graceful_timeout=0,  # `should_abort` at once; jobs are waited for all the same
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
