"""`manage.py house_load FILE`: fill the house program from a TOML file; safe to repeat."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from providers.house.sample_file import SampleFileError, load_sample


class Command(BaseCommand):
    help = "Apply a file of tiers, rewards, members and vouchers to the house program, all of it or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            changes = load_sample(file.read_text(encoding="utf-8"), file.parent)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        except SampleFileError as error:
            raise CommandError(f"{file} was not applied: {error}") from error
        for change in changes:
            self.stdout.write(change)
        self.stdout.write(f"{len(changes)} changes" if changes else "Nothing to change")
