"""`manage.py antavo_feed`: write all that waits into a file now, deliver files, look after delivered ones.

The worker does the same each minute, and writes the daily file at the program's `feed_hour`.
"""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandParser

from providers.antavo.provider import AntavoProvider
from providers.errors import ProviderError


class Command(BaseCommand):
    help = "Write the purchases, returns and cancelled orders that wait into a file for Antavo's import."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--due", action="store_true", help="only what is due: leave today's for tonight")

    def handle(self, *args: Any, **options: Any) -> None:
        # By name: adapters import nothing of the rest of the product.
        programs = apps.get_model("programs", "Program").objects.filter(provider_kind=AntavoProvider.kind)
        for program in programs:
            provider = program.provider()
            assert isinstance(provider, AntavoProvider)  # noqa: S101 - by the filter above
            if provider.client.settings.orders != "feed":
                self.stdout.write(f'{program.slug}: its orders are not "feed"')
                continue
            try:
                run = provider.run_feed(everything=not options["due"])
            except ProviderError as error:
                self.stderr.write(f"{program.slug}: {type(error).__name__}: {error.detail}")
                continue
            self.stdout.write(
                f"{program.slug}: written {', '.join(run.written) or 'nothing'}; "
                f"delivered {', '.join(run.delivered) or 'nothing'}; "
                f"{run.done} lines seen at Antavo, {run.refused} refused"
            )
