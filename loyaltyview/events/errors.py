"""Why an event could not be handled, and how often such an event is tried."""

from loyaltyview.newstore.errors import NewStoreRejected, NewStoreUnexpected
from providers.errors import Rejected, UnexpectedAnswer, Unsupported


class PayloadError(Exception):
    """The payload lacks `field`, or holds something else there. Trying again does not help."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class NotYet(Exception):
    """What this event builds on has not arrived. It comes within minutes, or an administrator looks."""


class OrderOpen(NotYet):
    """NewStore says that the order is not completed, which may take weeks."""


class Hopeless(Exception):
    """What this event builds on never arrived, and NewStore does not have it either. An administrator must
    look."""


# How often an event is tried in all. For every other error it is WORK_MAX_ATTEMPTS times.
ATTEMPTS: tuple[tuple[type[Exception], int], ...] = (
    (PayloadError, 1),
    (Hopeless, 1),
    (Rejected, 3),
    (Unsupported, 3),
    (UnexpectedAnswer, 3),
    (NewStoreRejected, 3),
    (NewStoreUnexpected, 3),
)
