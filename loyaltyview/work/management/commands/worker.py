"""`manage.py worker`: handle due rows until SIGTERM or SIGINT, with the engine that WORK_ENGINE names."""

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from loyaltyview.ops.database import limit_worker
from loyaltyview.work.worker import Worker


class Command(BaseCommand):
    help = "Handle due rows until SIGTERM or SIGINT; finish the rows that were claimed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="Handle the rows that are due now, then stop."
        )

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
