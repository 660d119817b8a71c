"""`manage.py load_program FILE`: set a program up, or bring it up to date, from a TOML file."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from loyaltyview.ops.encrypted import CredentialsUnreadable
from loyaltyview.programs.load import LoadReport, load_program
from loyaltyview.programs.program_file import ProgramFileError, read_program
from providers.pictures import MOST_BYTES


class Command(BaseCommand):
    help = "Apply a program file: all of it or, when anything is wrong with it, nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--allow-http",
            action="store_true",
            help="Accept addresses without TLS of other machines too (tests in a closed network).",
        )

    def handle(self, *args: Any, file: Path, allow_http: bool, **options: Any) -> None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        try:
            program_file = read_program(
                text, os.environ, folder=lambda name: _content(file.parent / name), allow_http=allow_http
            )
        except ProgramFileError as error:
            lines = "\n".join(f"  {problem}" for problem in error.problems)
            raise CommandError(f"{file} was not applied:\n{lines}") from error
        try:
            report = load_program(program_file)
        except CredentialsUnreadable as error:
            raise CommandError(
                f"{file} was not applied: the stored credentials cannot be decrypted."
                " Put the key that encrypted them back into CREDENTIAL_KEYS."
            ) from error
        except DatabaseError as error:
            raise CommandError(f"{file} was not applied, the database refused: {error}") from error
        self.report(program_file.slug, report)

    def report(self, slug: str, report: LoadReport) -> None:
        state = "created" if report.is_new else "updated" if report.changes else "unchanged"
        self.stdout.write(f"Program {slug}: {state}")
        for change in report.changes:
            self.stdout.write(f"  {change.key}: {change.text}")
        for store_id in report.kept_stores:
            self.stdout.write(f"  stores.{store_id}: not in the file, kept")


def _content(path: Path) -> bytes:
    """Return so much of a file that a larger one is recognised as too large."""
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)
