"""Batches of campaign codes: made at random or imported from a CSV file, and exported as one.

The worker stores a batch in chunks, each a short transaction, so that no page and no till waits. The codes of
a batch become valid together, when all of them are stored.
"""

import csv
import io
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from providers.house.models import BatchState, CampaignCode, CodeBatch, Voucher
from providers.house.models.campaigns import LONGEST_CODE, MOST_CODES
from providers.texts import id_key

# Without characters that people take for another: 0 and O, 1, I and L, 2 and Z, 5 and S, 8 and B, U and V.
ALPHABET = "ACDEFGHJKMNPQRTWXY34679"
RANDOM_CHARACTERS = 10
PLACE = "{code}"
PATTERN = re.compile(r"(?:[A-Z0-9][A-Z0-9._-]*)?\{code\}[A-Z0-9._-]*")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
CARD_NUMBER = re.compile(r"\d{13,19}")
CHUNK = 1000
# A sheet program runs a cell that begins with one of these.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line of a file that cannot be taken, and why."""

    number: int
    text: str
    why: str


def check_pattern(pattern: str) -> None:
    """Raise ValidationError unless `pattern` is such as SUMMER-{code}."""
    if not PATTERN.fullmatch(pattern):
        raise ValidationError(_("Write it such as SUMMER-{code}: capitals, digits, dashes and {code} once."))
    if len(pattern) - len(PLACE) + RANDOM_CHARACTERS > LONGEST_CODE:
        raise ValidationError(
            _("It makes codes of more than %(count)d characters.") % {"count": LONGEST_CODE}
        )


def new_code(pattern: str = PLACE) -> str:
    """Return a random code. Of 400 million guesses one finds one of 100,000 codes."""
    return pattern.replace(PLACE, "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS)))


# --- Storing, by the worker ------------------------------------------------------------------------


def store_batches(program: str, seconds: float) -> None:
    """Store the codes of the batches that are not ready yet, for about `seconds`. May be repeated."""
    ends = time.monotonic() + seconds
    waiting = CodeBatch.objects.filter(campaign__program=program, state=BatchState.MAKING)
    for pk in waiting.order_by("pk").values_list("pk", flat=True):
        while time.monotonic() < ends and _store_chunk(pk):
            pass


def store_batch(pk: int) -> None:
    """Store all codes of one batch."""
    while _store_chunk(pk):
        pass


def _store_chunk(pk: int) -> bool:
    """Store the next codes of the batch; returns whether more are to come."""
    try:
        with transaction.atomic():
            batch = CodeBatch.objects.select_for_update().select_related("campaign").get(pk=pk)
            if batch.state != BatchState.MAKING:
                return False
            codes = _next_codes(batch)
            CampaignCode.objects.bulk_create(
                CampaignCode(
                    program=batch.campaign.program,
                    campaign=batch.campaign,
                    batch=batch,
                    code=code,
                    key=id_key(code),
                )
                for code in codes
            )
            batch.made += len(codes)
            changed = ["made"]
            if batch.made >= batch.wanted:
                batch.state, batch.imported = BatchState.READY, ""
                changed += ["state", "imported"]  # megabytes that no other chunk writes again
            batch.save(update_fields=changed)
            return batch.state == BatchState.MAKING
    except IntegrityError:
        return _after_a_clash(pk)


def _next_codes(batch: CodeBatch) -> list[str]:
    count = min(CHUNK, batch.wanted - batch.made)
    if batch.imported:
        return batch.imported.splitlines()[batch.made : batch.made + count]
    # A random code that exists is so rare that the chunk is simply made again.
    codes: dict[str, str] = {}
    while len(codes) < count:
        code = new_code(batch.pattern)
        codes[id_key(code)] = code
    return list(codes.values())


def _after_a_clash(pk: int) -> bool:
    """A code of the chunk exists. Of an imported batch none is kept: another one stored the code first."""
    with transaction.atomic():
        batch = CodeBatch.objects.select_for_update().get(pk=pk)
        if not batch.imported:
            return True
        CampaignCode.objects.filter(batch=batch).delete()
        batch.state, batch.made, batch.imported = BatchState.FAILED, 0, ""
        batch.why_failed = _("Another batch stored one of its codes first. Import the file again.")
        batch.save(update_fields=["state", "made", "imported", "why_failed"])
        return False


# --- CSV in ----------------------------------------------------------------------------------------


def read_codes(program: str, data: bytes) -> tuple[list[str], list[RefusedLine]]:
    """Return the codes in the first column of a CSV file, and every line that cannot be taken."""
    codes: dict[str, tuple[int, str]] = {}
    refused: list[RefusedLine] = []
    for number, text in read_cells(data, header="code"):
        key = id_key(text)
        why = _why_not(text)
        if not why and key in codes:
            why = _("The same code as in line %(line)d.") % {"line": codes[key][0]}
        if why:
            refused.append(RefusedLine(number, text[: LONGEST_CODE + 10], why))
        else:
            codes[key] = (number, text)
    if len(codes) > MOST_CODES:
        refused.append(RefusedLine(0, "", _("More than %(count)d codes.") % {"count": MOST_CODES}))
    known = _known(program, codes)
    refused += [RefusedLine(number, text, _("This code exists already.")) for number, text in known]
    return [text for _number, text in codes.values()], sorted(refused, key=lambda line: line.number)


def read_cells(data: bytes, *, header: str) -> Iterator[tuple[int, str]]:
    """Yield the first cell of each line of a CSV file with its number, without a header and empty lines.
    Raises ValidationError for a file that is no CSV in UTF-8."""
    try:
        text = data.decode("utf-8-sig")
        delimiter = ";" if ";" in text.partition("\n")[0] else ","
        for row in (reader := csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)):
            cell = row[0].strip() if row else ""
            if cell and not (reader.line_num == 1 and cell.lower().replace(" ", "_") == header):
                yield reader.line_num, cell
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValidationError(_("This is no CSV file in UTF-8.")) from error


def _why_not(text: str) -> str:
    if len(text) > LONGEST_CODE:
        return _("More than %(count)d characters.") % {"count": LONGEST_CODE}
    if not CODE.fullmatch(text):
        return _("Only letters, digits, dashes, dots and underscores, a letter or digit first.")
    if CARD_NUMBER.fullmatch(id_key(text)):
        return _("It looks like the number of a payment card, which no page takes.")
    return ""


def _known(program: str, codes: dict[str, tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield those of `codes` that the program has, as a campaign's code or as a member's voucher."""
    taken = Voucher.objects.filter(program=program, campaign_code=None).exclude(code="")
    vouchers = {id_key(code) for code in taken.values_list("code", flat=True).iterator()}
    keys = list(codes)
    for at in range(0, len(keys), CHUNK):
        part = keys[at : at + CHUNK]
        found = CampaignCode.objects.filter(program=program, key__in=part)
        for key in {*found.values_list("key", flat=True), *vouchers.intersection(part)}:
            yield codes[key]


# --- CSV out ---------------------------------------------------------------------------------------


def write_codes(codes: Iterable[CampaignCode]) -> Iterator[str]:
    """Yield the lines of a CSV file with these codes, whose `voucher` and `member` were selected."""
    yield _csv_line("code", "campaign", "batch", "state", "member", "given_at", "expires_at")
    for code in codes:
        voucher = code.voucher
        expires = voucher.expires_at if voucher else None
        yield _csv_line(
            code.code,
            code.campaign.campaign_id,
            str(code.batch_id),
            voucher.state if voucher else "free",
            code.member.member_id if code.member else "",
            code.given_at.isoformat(timespec="seconds") if code.given_at else "",
            expires.isoformat(timespec="seconds") if expires else "",
        )


def _csv_line(*cells: str) -> str:
    line = io.StringIO(newline="")
    csv.writer(line).writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
    return line.getvalue()
