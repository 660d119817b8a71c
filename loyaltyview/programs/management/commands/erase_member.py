"""Erase a member who asks for it. Without `--yes` the command only reports what it would do."""

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loyaltyview.programs.erasure import CannotErase, erase_member
from loyaltyview.programs.models import Program


class Command(BaseCommand):
    help = "Erase a member: ledgers and trails keep a random pseudonym. Dry run without --yes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--program", required=True, metavar="SLUG")
        parser.add_argument(
            "--member",
            required=True,
            metavar="REF",
            help="the provider's ref, as redemptions name the member",
        )
        parser.add_argument("--yes", action="store_true", help="erase; without it nothing is changed")
        parser.add_argument(
            "--by", default="", metavar="NAME", help="who does it; the system's user otherwise"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        program = Program.objects.filter(slug=options["program"]).first()
        if program is None:
            raise CommandError(f"There is no program {options['program']}.")
        is_dry_run = not options["yes"]
        try:
            erasure = erase_member(
                program, options["member"], actor=options["by"] or _user(), is_dry_run=is_dry_run
            )
        except CannotErase as error:
            raise CommandError("Nothing was erased.\n" + "\n".join(error.problems)) from error
        for what, count in erasure.counts.items():
            self.stdout.write(f"{what}: {count}")
        if is_dry_run:
            self.stdout.write("Nothing was changed: --yes erases this.")
        else:
            self.stdout.write(f"Erased; {erasure.pseudonym} stands in their place.")
            self.stdout.write("What provider and NewStore keep of them is to be erased there.")


def _user() -> str:
    try:
        return f"manage.py {getpass.getuser()}"
    except (KeyError, OSError):  # a container whose user has no name
        return "manage.py"
