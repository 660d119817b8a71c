"""`manage.py newstore_events`: our registration with NewStore's event stream."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from loyaltyview.events import stream
from loyaltyview.events.payloads import read_time
from loyaltyview.newstore import event_stream
from loyaltyview.newstore.errors import NewStoreError
from loyaltyview.programs.models import Program


class Command(BaseCommand):
    help = "Registers, shows, starts and replays NewStore's event stream. Needs PUBLIC_URL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["register", "status", "start", "replay"])
        parser.add_argument("--program", help="Its slug; without it all active programs.")
        parser.add_argument("--from", dest="since", type=_time, help="replay: such as 2026-03-04T15:00Z.")
        parser.add_argument("--to", dest="until", type=_time, help="replay: such as 2026-03-04T16:00Z.")

    def handle(self, *args: Any, **options: Any) -> None:
        programs = Program.objects.filter(is_active=True)
        if options["program"]:
            programs = programs.filter(slug=options["program"])
        if not programs:
            raise CommandError("There is no such program.")
        failed = [program.slug for program in programs if not self._act(program, options)]
        if failed:
            raise CommandError(f"Failed for {', '.join(failed)}.")

    def _act(self, program: Program, options: dict[str, Any]) -> bool:
        try:
            self.stdout.write(f"{program.slug}: {_do(program, options)}")
        except (NewStoreError, stream.NoAddress) as error:
            self.stderr.write(f"{program.slug}: {error}")
            return False
        return True


def _do(program: Program, options: dict[str, Any]) -> str:
    if options["action"] == "register":
        done = stream.register(program)
        return f"{done.integration_id} is {done.status}, delivers to {done.callback_url}"
    if options["action"] == "start":
        event_stream.start_stream(program)
        return "started"
    if options["action"] == "replay":
        since, until = options["since"], options["until"]
        if since is None or until is None or until <= since:
            raise CommandError("Say which time: --from and a later --to.")
        return f"{stream.replay(program, since, until)} delivers the events of that time again"
    found = event_stream.read_stream(program)
    if found is None:
        return "not registered"
    return f"{found.integration_id} is {found.status}, delivers to {found.callback_url}"


def _time(text: str) -> datetime:
    moment = read_time(text)
    if moment is None:
        raise CommandError(f"{text!r} is no time such as 2026-03-04T15:00Z.")
    return moment
