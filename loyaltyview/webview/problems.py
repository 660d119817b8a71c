"""What the associate did or found that the page must answer with a sentence."""

from dataclasses import dataclass

from providers.errors import ProviderError

# What is no fault of what was asked: another system's, or too much of it. The rest is 422 where nobody says.
STATUSES = {
    "NEWSTORE_UNAVAILABLE": 503,
    "NEWSTORE_AUTH": 503,
    "NEWSTORE_GONE": 503,
    "NEWSTORE_UNEXPECTED": 503,
    "PROVIDER_UNAVAILABLE": 503,
    "PROVIDER_AUTH": 503,
    "PROVIDER_BUSY": 503,
    "ASSOCIATE_LIMIT": 429,
    "MEMBER_LIMIT": 429,
}


class Problem(Exception):
    """`code` has its sentence in `wording`; `text`, if given, is said instead; `status` is for HTTP, by
    default as STATUSES has it; `title` names the reward or voucher that it is about; `reference` is
    NewStore's request id; `outage` is why the program could not even be asked."""

    def __init__(
        self,
        code: str,
        text: str = "",
        status: int = 0,
        title: str = "",
        reference: str = "",
        outage: ProviderError | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.status = status or STATUSES.get(code, 422)
        self.title = title
        self.reference = reference
        self.outage = outage

    def copy(self) -> "Problem":
        """Return an equal one, to be raised in another thread."""
        return Problem(self.code, self.text, self.status, self.title, self.reference, self.outage)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedItem:
    """One of several that did not work, and why."""

    title: str
    code: str
    sentence: str
