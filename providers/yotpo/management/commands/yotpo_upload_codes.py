"""`manage.py yotpo_upload_codes`: codes of a custom coupon, from a file or made here, in batches.

Source: loyaltyapi.yotpo.com/reference/add-coupon-codes: at most 10,000 codes a call, separated by commas.
Codes that exist already are taken to be passed over (not documented).
"""

import secrets
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from providers.errors import ProviderError, RejectReason
from providers.yotpo.client import Client, is_ok
from providers.yotpo.provider import YotpoProvider

# Without letters and digits that are read wrongly: codes are typed by hand, too.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
BAR = 30
BATCH = 10_000
LONGEST = 100


class Command(BaseCommand):
    help = "Upload codes of a custom coupon to Yotpo. Sending codes again that it has does no harm."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("program", help="slug of the program")
        parser.add_argument("option", type=int, help="redemption option id, on top of the reward's page")
        parser.add_argument("file", type=Path, nargs="?", help="one code a line")
        parser.add_argument("--generate", type=int, default=0, metavar="N", help="make N codes instead")
        parser.add_argument("--prefix", default="", help="of the codes that are made")
        parser.add_argument("--batch", type=int, default=BATCH, help=f"codes a call, at most {BATCH}")
        parser.add_argument("--skip", type=int, default=0, help="codes at the start that were sent before")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["batch"] <= BATCH:
            raise CommandError(f"--batch must be from 1 to {BATCH}.")
        provider = _provider(options["program"])
        codes = _codes(options["file"], options["generate"], options["prefix"])
        if not 0 <= options["skip"] <= len(codes):
            raise CommandError(f"--skip must be from 0 to {len(codes)}.")
        skipped = sent = options["skip"]
        try:
            for number in upload(provider.client, options["option"], codes[skipped:], options["batch"]):
                sent = skipped + number
                self._show(sent, len(codes))
        except ProviderError as error:
            self.stderr.write("")
            again = " Go on with --skip " + str(sent) + "." if options["file"] else ""
            trouble = f"{type(error).__name__}: {error.detail}"
            raise CommandError(f"Yotpo took {sent} of {len(codes)} codes, then {trouble}.{again}") from error
        self.stdout.write(self.style.SUCCESS(f"{sent} codes of option {options['option']} are uploaded."))

    def _show(self, sent: int, total: int) -> None:
        """Draw the bar anew in a terminal; elsewhere write a line for each batch."""
        is_terminal = self.stderr.isatty()
        done = BAR * sent // total
        line = f"[{'#' * done}{'.' * (BAR - done)}] {sent:,} of {total:,}"
        self.stderr.write(("\r" + line) if is_terminal else line, ending="" if is_terminal else "\n")
        if is_terminal and sent == total:
            self.stderr.write("")


def _provider(slug: str) -> YotpoProvider:
    # By its label: providers import nothing of the product.
    program = apps.get_model("programs", "Program").objects.filter(slug=slug).first()
    provider = program.provider() if program else None
    if not isinstance(provider, YotpoProvider):
        raise CommandError(f"There is no program {slug} with Yotpo.")
    return provider


def _codes(file: Path | None, number: int, prefix: str) -> list[str]:
    if (file is None) == (number <= 0):
        raise CommandError("Name a file, or a number of codes with --generate.")
    if file is None:
        made: dict[str, None] = {}
        while len(made) < number:
            made[prefix + "".join(secrets.choice(ALPHABET) for _ in range(12))] = None
        return list(made)
    try:
        codes = read_codes(file.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise CommandError(f"{file} cannot be used: {error}") from error
    if not codes:
        raise CommandError(f"{file} holds no code.")
    return codes


def read_codes(lines: Iterable[str]) -> list[str]:
    """Return the codes of a file, one a line (more cells of a CSV line are left out), without repeats.
    Raises ValueError for a code that cannot be sent."""
    codes: dict[str, None] = {}
    for number, line in enumerate(lines, start=1):
        code = line.split(",")[0].strip().strip('"')
        if not code:
            continue
        if len(code) > LONGEST or not code.isprintable() or " " in code:
            raise ValueError(f"line {number}: not a code")
        codes[code] = None
    return list(codes)


def upload(client: Client, option_id: int, codes: list[str], batch: int = BATCH) -> Iterator[int]:
    """Send `codes` in batches and yield after each how many have been sent. Raises ProviderError; sending
    a batch again after that does no harm as long as Yotpo passes over what it has."""
    left, sent = iter(codes), 0
    while chunk := list(islice(left, batch)):
        body = {"redemption_option_id": option_id, "codes": ",".join(chunk)}
        answer = client.post("/redemption_codes", operation="upload_codes", body=body)
        if not is_ok(answer):
            raise client.refusal(answer, not_found=RejectReason.REWARD_NOT_FOUND)
        sent += len(chunk)
        yield sent
