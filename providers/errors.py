"""Everything that can go wrong with a loyalty vendor, as one tree.

    ProviderError
    ├── Unavailable            nothing reached the vendor, or a read failed: safe to try again
    │   ├── Busy               the same: another client changes the record
    │   └── RateLimited        the same, with the wait that the vendor asks for
    ├── OutcomeUnknown         a write timed out or died half way: find out before anything else
    ├── AuthFailed             the vendor does not accept our credentials: an administrator must act
    ├── Rejected               the vendor said no, with a reason the associate can be told
    ├── UnexpectedAnswer       an answer that does not parse: for a write as good as OutcomeUnknown
    └── Unsupported            this vendor cannot do that at all (its capabilities say so beforehand)

`SettingsError` stands outside: it is about our configuration and surfaces when a program is saved.
"""

from enum import StrEnum


class RejectReason(StrEnum):
    """Why a vendor refused. Pages show one sentence with advice for each reason."""

    INSUFFICIENT_POINTS = "INSUFFICIENT_POINTS"
    MEMBER_NOT_FOUND = "MEMBER_NOT_FOUND"
    REWARD_NOT_FOUND = "REWARD_NOT_FOUND"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    LIMIT_REACHED = "LIMIT_REACHED"
    ALREADY_USED = "ALREADY_USED"
    EXPIRED = "EXPIRED"
    TIER_TOO_LOW = "TIER_TOO_LOW"
    PRICE_CHANGED = "PRICE_CHANGED"
    INVALID_INPUT = "INVALID_INPUT"
    ALREADY_MEMBER = "ALREADY_MEMBER"
    NOT_ALLOWED = "NOT_ALLOWED"
    PIN_NEEDED = "PIN_NEEDED"  # the member's PIN must come with the spend
    PIN_WRONG = "PIN_WRONG"


class ProviderError(Exception):
    """Base of all. `detail` is for logs and administrators and carries no personal data."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class Unavailable(ProviderError):
    """The request did not reach the vendor, or a read failed on its side. Safe to repeat."""


class Busy(Unavailable):
    """Another client is changing the record at the vendor. Nothing happened."""


class RateLimited(Unavailable):
    """The vendor (or our own bucket) asks to wait `retry_after_s` seconds."""

    def __init__(self, detail: str = "", retry_after_s: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class OutcomeUnknown(ProviderError):
    """A write may or may not have happened. It must not be repeated; `find_spend` finds the outcome."""


class AuthFailed(ProviderError):
    """Credentials were refused. Nothing happened."""


class Rejected(ProviderError):
    """The vendor refused, and nothing happened. `text` is the vendor's own sentence, if there is one."""

    def __init__(self, reason: RejectReason, detail: str = "", text: str = "", points_gap: int = 0) -> None:
        super().__init__(detail or reason.value)
        self.reason = reason
        self.text = text
        self.points_gap = points_gap


class UnexpectedAnswer(ProviderError):
    """The vendor's answer is not in its contract."""


class Unsupported(ProviderError):
    """The vendor has no such call. Ask `capabilities` first."""


class SettingsError(Exception):
    """A program's provider settings are wrong. `key` names the setting, `inside` the keys that lead to the
    place in its table, and `problem` says what is wrong."""

    def __init__(self, key: str, problem: str, inside: tuple[str, ...] = ()) -> None:
        self.key = key
        self.inside = inside
        self.problem = problem
        super().__init__(f"{key}: {self.sentence}")

    @property
    def sentence(self) -> str:
        """The problem, after the place in the setting's table."""
        return f"{'.'.join(self.inside)}: {self.problem}" if self.inside else self.problem
