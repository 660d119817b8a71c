"""What a reconciliation finds."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing that does not fit. `about` is the order or redemption; `repair` mends it, may raise
    ProviderError or NewStoreError, and is None where a person must look."""

    cause: str
    about: str
    detail: str = ""
    repair: Callable[[], object] | None = None
