"""`manage.py house_codes PROGRAM CAMPAIGN FILE`: import a CSV file of codes that is too large for admin."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from providers.house.codes import read_codes, store_batch
from providers.house.models import BatchState, Campaign, CodeBatch


class Command(BaseCommand):
    help = "Import the codes of a CSV file for a voucher campaign, all of them or none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("program")
        parser.add_argument("campaign", help="the id of the campaign")
        parser.add_argument("file", type=Path)
        parser.add_argument("--check", action="store_true", help="only list the lines that are refused")

    def handle(
        self, *args: Any, program: str, campaign: str, file: Path, check: bool, **options: Any
    ) -> None:
        row = Campaign.objects.filter(program=program, campaign_id=campaign).first()
        if row is None:
            raise CommandError(f"There is no campaign {campaign} in the program {program}.")
        try:
            codes, refused = read_codes(program, file.read_bytes())
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        except ValidationError as error:
            raise CommandError(error.message) from error
        for line in refused:
            self.stderr.write(f"line {line.number}: {line.text}: {line.why}")
        if refused:
            raise CommandError(f"Nothing was stored. Refused lines: {len(refused)}.")
        if not codes:
            raise CommandError(f"{file} has no codes.")
        if check:
            self.stdout.write(f"All {len(codes)} codes are good. Nothing was stored.")
            return
        batch = CodeBatch.objects.create(
            campaign=row, wanted=len(codes), imported="\n".join(codes), created_by="house_codes"
        )
        store_batch(batch.pk)
        batch.refresh_from_db()
        if batch.state != BatchState.READY:
            raise CommandError(batch.why_failed)
        self.stdout.write(f"{batch.made} codes stored")
