"""The older coupon list, where a tenant has it: switches a code off after its use or release, and tells
whether a code was used.

Loyalty codes expire by themselves after minutes, so switching one off only tidies up, and a failure is
harmless. The list is seen in one partner's code only (docs/contracts/newstore.md 4.3): paths and names are a
mapping that a program can change.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog

from loyaltyview.newstore.answers import list_in, object_of
from loyaltyview.newstore.client import NewStoreClient, segment
from loyaltyview.newstore.errors import NewStoreError, NewStoreRejected, NewStoreUnavailable
from loyaltyview.newstore.models import UsedCode
from loyaltyview.programs.models import Program
from loyaltyview.work.claims import backoff_s, claim, finish, give_up, postpone
from providers.retention import delete_in_steps
from providers.texts import code_key

log = structlog.get_logger(__name__)

API: Mapping[str, str] = {
    "list_path": "/v0/promotions/coupon",
    "code_path": "/v0/promotions/coupon/{coupon}/code/{code}",
    # Names in the list's answer: items[].coupon.{id,codes[]}, and of each code its id and itself.
    "items": "items",
    "coupon": "coupon",
    "codes": "codes",
    "id": "id",
    "name": "name",
    "redemptions": "redemptions",
}
PER_PAGE = 100
MOST_PAGES = 10
MOST_ATTEMPTS = 8  # about four minutes; the code expires soon after


def disable_code(program: Program, code: str, coupon_name: str) -> bool:
    """Switch `code` off; False when the list does not have it. Raises NewStoreError; may be repeated."""
    api = _api(program)
    coupon_id, found = _find(program, code, coupon_name)
    if not found:
        return False
    if found.get("active") is not False:
        # Not `format`: other braces in the program's path must not stop the worker.
        path = api["code_path"].replace("{coupon}", segment(coupon_id))
        path = path.replace("{code}", segment(str(found[api["id"]])))
        change = {
            api["id"]: found[api["id"]],
            api["name"]: code,
            api["redemptions"]: found.get(api["redemptions"], 0),
            "active": False,
        }
        NewStoreClient(program).call("PATCH", path, body=change, headers=_headers(program))
    return True


def is_code_used(program: Program, code: str, coupon_name: str) -> bool:
    """Return whether the list says that `code` was redeemed; False when it does not have it. Raises
    NewStoreError."""
    _, found = _find(program, code, coupon_name)
    times = found.get(_api(program)["redemptions"])
    return isinstance(times, int) and times > 0


def run_one() -> bool:
    """Switch off one code that is due; False when none is."""
    row = claim(UsedCode.objects.all())
    if row is None:
        return False
    try:
        is_found = disable_code(row.program, row.code, row.coupon_name)
    except NewStoreError as error:
        text = f"{type(error).__name__}: {error.detail}"
        may_pass = isinstance(error, NewStoreUnavailable) or not isinstance(error, NewStoreRejected)
        # A request to wait (429) is no reason to give up.
        if may_pass and (row.attempts < MOST_ATTEMPTS or error.status == 429):
            postpone(row, text, max(backoff_s(row.attempts), error.retry_after_s or 0))
        else:
            log.warning("code_not_disabled", program=row.program.slug, code=row.code, detail=text)
            give_up(row, text)
        return True
    finish(row, last_error="" if is_found else "not in the coupon list")
    return True


def purge_used_codes(before: datetime) -> int:
    """Delete codes that were queued before that time; returns how many. May be repeated."""
    return delete_in_steps(UsedCode.objects.filter(created_at__lt=before))


def _find(program: Program, code: str, coupon_name: str) -> tuple[str, dict[str, Any]]:
    """Return the id of the coupon and the entry of `code`, "" and {} when the list does not have it."""
    api, client = _api(program), NewStoreClient(program)
    for page in range(1, MOST_PAGES + 1):
        # It is not known whether `name` is exact or a prefix, so each answer is compared.
        params = {"page": str(page), "count": str(PER_PAGE), "name": coupon_name}
        body = object_of(client.call("GET", api["list_path"], params=params, headers=_headers(program)))
        items = list_in(body, api["items"])
        for coupon in (item.get(api["coupon"]) for item in items):
            if isinstance(coupon, dict) and (found := _code_in(coupon, code, api)):
                return str(coupon[api["id"]]), found
        if len(items) < PER_PAGE:
            break
    return "", {}


def _api(program: Program) -> Mapping[str, str]:
    return {**API, **program.newstore_coupon_api}


def _headers(program: Program) -> dict[str, str]:
    return {"tenant": program.newstore_tenant}


def _code_in(coupon: Mapping[str, Any], code: str, api: Mapping[str, str]) -> dict[str, Any]:
    """Return the entry of `code` in this coupon, {} when it is not there or has no id."""
    if not isinstance(coupon.get(api["id"]), str | int):
        return {}
    for entry in list_in(coupon, api["codes"]):
        if code_key(str(entry.get(api["name"]))) == code_key(code) and isinstance(
            entry.get(api["id"]), str | int
        ):
            return entry
    return {}
