"""`manage.py house_expire`: take the points that have lapsed. Run it once a day; it may be repeated."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from providers.house.expiry import expire_points
from providers.house.models import Member


class Command(BaseCommand):
    help = "Take the house program's points that have lapsed."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        members = Member.objects.filter(spendable__gt=0, entries__expires_at__lte=now).distinct()
        taken = [
            expire_points(program, ref, now)
            for program, ref in members.values_list("program", "member_id").iterator()
        ]
        points = -sum(entry.points for entry in taken if entry)
        self.stdout.write(f"{points} points of {sum(entry is not None for entry in taken)} members lapsed")
