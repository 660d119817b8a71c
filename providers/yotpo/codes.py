"""The codes of redemptions: what Yotpo knows about one, and the upload of codes for custom coupons.

Source: loyaltyapi.yotpo.com/reference/get-redemption-code-data and /add-coupon-codes: at most 10,000 codes a
call, separated by commas. Codes that exist already are taken to be passed over (not documented).
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from providers.errors import RejectReason, UnexpectedAnswer
from providers.yotpo.client import Client, is_ok

BATCH = 10_000
LONGEST = 100


def code_data(client: Client, code: str) -> dict[str, Any]:
    """Return what Yotpo says about a code, {} when it does not know it (404, an empty list and null alike).
    Its own `id` is that of the code, not of the redemption."""
    answer = client.get("/redemption_codes", operation="get_code", params={"code": code})
    if answer.status == 404:
        return {}
    if not is_ok(answer):
        raise client.refusal(answer, not_found=RejectReason.REWARD_NOT_FOUND)
    data = answer.json()
    if isinstance(data, list):
        data = data[0] if data else {}
    if data is not None and not isinstance(data, dict):
        raise UnexpectedAnswer("code: neither object nor list")
    return data or {}


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
