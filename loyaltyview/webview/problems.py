"""What the associate did or found that the page must answer with a sentence."""


class Problem(Exception):
    """`code` has its sentence in `wording`; `text`, if given, is said instead; `status` is for HTTP."""

    def __init__(self, code: str, text: str = "", status: int = 422) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.status = status
