"""`manage.py house_api_key create|list|revoke`: the keys of a house program's REST API."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from providers import clock
from providers.house.api.keys import make_key, revoke
from providers.house.api.models import ApiKey, Scope


class Command(BaseCommand):
    help = "Make, list or revoke keys of the house program's REST API. A new key is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a key and print it")
        create.add_argument("--program", required=True, help="slug of the program")
        create.add_argument("--name", default="Web shop", help="who uses the key")
        create.add_argument(
            "--scopes", nargs="+", required=True, metavar="SCOPE", help=f"from {', '.join(Scope.values)}"
        )
        create.add_argument("--days", type=int, help="the key expires after so many days (default: never)")
        actions.add_parser("list", help="list the keys").add_argument("--program", default="")
        actions.add_parser("revoke", help="refuse a key from now on").add_argument("prefix")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if action == "create":
            self._create(**options)
        elif action == "list":
            self._list(**options)
        else:
            self._revoke(**options)

    def _create(self, *, program: str, name: str, scopes: list[str], days: int | None, **_: Any) -> None:
        expires_at = clock.now() + timedelta(days=days) if days else None
        key = ApiKey(program=program, name=name, scopes=scopes, expires_at=expires_at)
        try:
            key.clean_fields(exclude=["prefix", "digest"])
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stdout.write(make_key(key))
        self.stderr.write("This is the only time that the key is shown.")

    def _list(self, *, program: str, **_: Any) -> None:
        keys = ApiKey.objects.filter(program=program) if program else ApiKey.objects.all()
        for key in keys:
            state = "revoked" if key.revoked_at else "valid"
            used = f"{key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never"
            scopes = " ".join(key.scopes)
            self.stdout.write(
                f"{key.prefix}  {key.program}  {key.name}  {state}  last used: {used}  {scopes}"
            )

    def _revoke(self, *, prefix: str, **_: Any) -> None:
        if not revoke(prefix):
            raise CommandError(f"{prefix}: no such key, or it is revoked already")
        self.stdout.write(f"{prefix} is revoked")
