"""What the page must answer with a sentence instead of what was asked for."""

from dataclasses import dataclass
from typing import Self

from loyaltyview.redemptions.models import Redemption
from loyaltyview.redemptions.refusals import Refusal, read_refusal, refusal_of, sentence_of
from providers.errors import ProviderError


class Problem(Exception):
    """A refusal with what only this request knows. `text` replaces the table's sentence and `status` its
    status; `title` names the reward or voucher; `reference` is NewStore's request id; `outage` is
    why the program could not even be asked."""

    def __init__(
        self,
        code: Refusal,
        text: str = "",
        *,
        status: int = 0,
        title: str = "",
        reference: str = "",
        outage: ProviderError | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.status = status or code.status
        self.title = title
        self.reference = reference
        self.outage = outage

    @classmethod
    def of_row(cls, row: Redemption, *, status: int = 0) -> Self:
        """Return why `row` is refused."""
        return cls(refusal_of(row.refusal), sentence_of(row), status=status, title=row.title)

    @classmethod
    def of_read(cls, error: ProviderError) -> Self:
        """Return that the vendor could not be read."""
        return cls(read_refusal(error), outage=error)

    @property
    def sentence(self) -> str:
        """What the associate reads."""
        return self.text or str(self.code.sentence)

    def copy(self) -> "Problem":
        """Return an equal one, to be raised in another thread."""
        return Problem(
            self.code,
            self.text,
            status=self.status,
            title=self.title,
            reference=self.reference,
            outage=self.outage,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedItem:
    """One of several that did not work, and why."""

    title: str
    code: str
    sentence: str

    @classmethod
    def of(cls, problem: Problem, title: str = "") -> Self:
        """Return the item that `problem` is about; `title` names it where the problem does not."""
        return cls(title=problem.title or title, code=problem.code.value, sentence=problem.sentence)
