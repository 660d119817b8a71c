"""`manage.py antavo_send`: send waiting checkouts, ask what became of those that Antavo accepted
asynchronously, burn forgotten reservations. The worker does the same each minute."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand

from providers.antavo.provider import AntavoProvider
from providers.base import LoyaltyProvider
from providers.errors import ProviderError


class Command(BaseCommand):
    help = "Send the checkouts that wait for Antavo. Two at once share the work."

    def handle(self, *args: Any, **options: Any) -> None:
        # By name: adapters import nothing of the rest of the product.
        programs = apps.get_model("programs", "Program").objects.filter(provider_kind=AntavoProvider.kind)
        for program in programs:
            try:
                self._work(program.slug, program.provider())
            except ProviderError as error:
                self.stderr.write(f"{program.slug}: {type(error).__name__}: {error.detail}")

    def _work(self, slug: str, provider: LoyaltyProvider) -> None:
        assert isinstance(provider, AntavoProvider)  # noqa: S101 - by the filter above
        taken = failed = 0
        while True:
            sent, waiting = provider.send_queued()
            taken, failed = taken + sent, failed + waiting
            if not sent and not waiting:
                break
        burned = provider.burn_forgotten()
        self.stdout.write(
            f"{slug}: {taken} checkouts sent, {failed} still waiting, {burned} reservations burned"
        )
