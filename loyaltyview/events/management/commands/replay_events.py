"""`manage.py replay_events`: handle stored events once more, chosen by id, state and time."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from loyaltyview.events.models import Event, EventState
from loyaltyview.events.payloads import read_time
from loyaltyview.events.stored_events import replay


class Command(BaseCommand):
    help = "Makes stored events due again. Give at least one of: ids, --state, --since, --until."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", nargs="*", type=int, help="Ids as admin shows them.")
        parser.add_argument("--state", choices=EventState.values, help="Such as: dead.")
        parser.add_argument("--program", help="Only this program's (its slug).")
        parser.add_argument("--name", help="Only events of this name, such as order.opened.")
        parser.add_argument("--since", type=_time, help="Received at or after, such as 2026-03-04T15:00Z.")
        parser.add_argument("--until", type=_time, help="Received before.")
        parser.add_argument("--dry-run", action="store_true", help="Only say how many there are.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not any(options[key] for key in ("ids", "state", "since", "until")):
            raise CommandError("Say which: ids, --state, --since or --until.")
        chosen = {
            "pk__in": options["ids"],
            "state": options["state"],
            "program__slug": options["program"],
            "name": options["name"],
            "received_at__gte": options["since"],
            "received_at__lt": options["until"],
        }
        events = Event.objects.filter(**{key: value for key, value in chosen.items() if value})
        if options["dry_run"]:
            self.stdout.write(f"{events.count()} events would be replayed")
        else:
            self.stdout.write(f"{replay(events)} events replayed")


def _time(text: str) -> datetime:
    moment = read_time(text)
    if moment is None:
        raise CommandError(f"{text!r} is no time such as 2026-03-04T15:00Z.")
    return moment
