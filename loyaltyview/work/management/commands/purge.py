"""`manage.py purge`: delete what the RETENTION_* settings no longer keep. The worker does it daily."""

from typing import Any

from django.core.management.base import BaseCommand

from loyaltyview.work.retention import retentions, run


class Command(BaseCommand):
    help = "Delete what is older than the RETENTION_* settings allow."

    def handle(self, *args: Any, **options: Any) -> None:
        for retention in retentions.values():
            self.stdout.write(f"{retention.name}: {run(retention)} older than {retention.days} days deleted")
