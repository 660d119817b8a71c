"""`manage.py reconcile --day 2026-03-04`: orders, codes, redemptions and the vendor, compared.

`--replay` has NewStore deliver the events of the day again, for what only events say. Run the command again
when they are handled.
"""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from loyaltyview.events import stream
from loyaltyview.events.alarms import close_alarm
from loyaltyview.events.errors import Hopeless, NotYet, PayloadError
from loyaltyview.events.missed_orders import Gap
from loyaltyview.events.models import AlarmKind
from loyaltyview.events.reconcile import find_gaps, span_of
from loyaltyview.newstore.errors import NewStoreError
from loyaltyview.programs.models import Program
from providers.errors import ProviderError, SettingsError


class Command(BaseCommand):
    help = "Lists each gap of a day with its cause. Ends with 1 when any is left."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--day", type=_day, required=True, help="UTC, such as 2026-03-04.")
        parser.add_argument("--program", help="Its slug; without it all active programs.")
        parser.add_argument("--repair", action="store_true", help="Repair what can be repaired.")
        parser.add_argument(
            "--replay", action="store_true", help="Have NewStore deliver the day's events again."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        programs = Program.objects.filter(is_active=True)
        if options["program"]:
            programs = programs.filter(slug=options["program"])
        if not programs:
            raise CommandError("There is no such program.")
        left = 0
        for program in programs:
            try:
                gaps = find_gaps(program, options["day"])
            except Exception as error:
                # Any error: the other programs are still reconciled. Only the texts of these three are known
                # to hold no personal data.
                is_ours = isinstance(error, NewStoreError | ProviderError | SettingsError)
                text = type(error).__name__ + (f": {error}" if is_ours else "")
                self.stdout.write(f"{program.slug}, {options['day']}: not reconciled ({text})")
                left += 1
                continue
            rows = [self._row(gap, options["repair"]) for gap in gaps]
            left_here = sum(row[-1] != "done" for row in rows)
            if not left_here:
                close_alarm(program, AlarmKind.GAP, str(options["day"]))
            left += left_here
            self.stdout.write(f"{program.slug}, {options['day']}: {len(gaps)} gaps")
            if rows:
                self.stdout.write(_table([("cause", "about", "detail", "repair"), *rows]))
            if options["replay"]:
                self._replay(program, options["day"])
        if left:
            raise CommandError(f"{left} gaps are left.", returncode=1)

    def _replay(self, program: Program, day: date) -> None:
        try:
            name = stream.replay(program, *span_of(day))
        except (NewStoreError, stream.NoAddress) as error:
            raise CommandError(f"{program.slug}: {error}") from error
        self.stdout.write(f"{program.slug}: {name} delivers the events of {day} again")

    def _row(self, gap: Gap, is_repairing: bool) -> tuple[str, str, str, str]:
        return gap.cause, gap.about, gap.detail, _repair(gap) if is_repairing else _offer(gap)


def _offer(gap: Gap) -> str:
    return "with --repair" if gap.repair else "a person must look"


def _repair(gap: Gap) -> str:
    if gap.repair is None:
        return "a person must look"
    try:
        gap.repair()
    except (ProviderError, NewStoreError, PayloadError, NotYet, Hopeless) as error:
        return f"failed: {error}"
    return "done"


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day such as 2026-03-04") from error
