"""What the associate did or found that the page must answer with a sentence."""

from dataclasses import dataclass


class Problem(Exception):
    """`code` has its sentence in `wording`; `text`, if given, is said instead; `status` is for HTTP;
    `title` names the reward or voucher that it is about; `reference` is NewStore's request id."""

    def __init__(
        self, code: str, text: str = "", status: int = 422, title: str = "", reference: str = ""
    ) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.status = status
        self.title = title
        self.reference = reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """One of several that did not work, and why."""

    title: str
    code: str
    sentence: str
