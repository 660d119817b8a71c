"""`manage.py worker`: handle what waits in rows until told to stop, with the engine of WORK_ENGINE."""

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from loyaltyview.ops.database import limit_worker
from loyaltyview.work.worker import Worker


class Command(BaseCommand):
    help = "Works on events and redemptions until SIGTERM or SIGINT; stops after the rows in hand."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="Handle what is due now, then stop.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(f"{Worker().run_once()} rows handled")
            return
        limit_worker()
        if settings.WORK_ENGINE == "procrastinate":
            from loyaltyview.work.jobs import run_worker

            if not run_worker():
                raise CommandError("the worker ended by itself; see the log before this line")
        else:
            self._run_plain()

    def _run_plain(self) -> None:
        worker = Worker()

        def stop(_signal: int, _frame: FrameType | None) -> None:
            worker.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        worker.run()
