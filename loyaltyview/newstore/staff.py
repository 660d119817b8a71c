"""NewStore's own id of an associate, found by the e-mail of the login.
Source: docs/contracts/newstore.md 3.2 and 8.5.

Carts and orders name associates by this id; the login by another one.
"""

import structlog

from loyaltyview.newstore.answers import list_in, object_of
from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.errors import NewStoreError
from loyaltyview.programs.models import Program

log = structlog.get_logger(__name__)

BUDGET_S = 2.0  # the app waits for the callback after each login
MOST_USERS = 50  # NewStore's largest page
MAX_ID = 100


def find_staff_id(program: Program, email: object) -> str:
    """Return the `associate_id` of the one active associate with exactly this e-mail, "" when there is none,
    more than one, or NewStore cannot be asked. Never raises."""
    if not isinstance(email, str) or "@" not in email:
        return ""
    params = {"q": email, "offset": "0", "count": str(MOST_USERS)}
    try:
        answer = NewStoreClient(program, budget_s=BUDGET_S).call("GET", "/iam/users", params=params)
        users = list_in(object_of(answer), "elements")
    except NewStoreError as error:
        log.warning(
            "associate_not_looked_up",
            program=program.slug,
            error=type(error).__name__,
            detail=error.detail,
            newstore_request_id=error.request_id,
        )
        return ""
    # `q` matches parts of names too.
    found = {
        user.get("associate_id")
        for user in users
        if str(user.get("email")).casefold() == email.casefold() and user.get("is_active") is not False
    }
    ids = [each for each in found if isinstance(each, str) and 0 < len(each) <= MAX_ID and each.isprintable()]
    return ids[0] if len(ids) == 1 else ""
