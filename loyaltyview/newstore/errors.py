"""Everything that can go wrong with NewStore.

NewStoreError
├── NewStoreUnavailable     no answer, 429, 5xx: try again later
├── NewStoreAuthFailed      our client id or secret is refused, also after a fresh token
├── NewStoreRejected        a 4xx with its reason: our request is wrong, or its object is gone
└── NewStoreUnexpected      an answer that its contract does not describe

LaunchError                 the launch cannot be used; `code` and sentence for the page
IdentityError               the associate's identity cannot be used; same
"""


class NewStoreError(Exception):
    """Base. `request_id` is NewStore's X-Newstore-Request-Id and `status` the HTTP status where it answered,
    `retry_after_s` how long it asks us to wait where it does."""

    retry_after_s: float | None = None

    def __init__(self, detail: str = "", request_id: str = "", status: int = 0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.request_id = request_id
        self.status = status


class NewStoreUnavailable(NewStoreError):
    """Try again later; nothing is wrong with the request. `status` 429 asks us to wait with all calls."""

    def __init__(
        self,
        detail: str = "",
        request_id: str = "",
        retry_after_s: float | None = None,
        *,
        status: int = 0,
    ) -> None:
        super().__init__(detail, request_id, status)
        self.retry_after_s = retry_after_s


class NewStoreAuthFailed(NewStoreError):
    """An administrator must look at the client id and secret."""


class NewStoreRejected(NewStoreError):
    """NewStore understood and refused."""


class NewStoreUnexpected(NewStoreError):
    """An answer that does not parse, or a coupon that is not the one we asked for."""


class LaunchError(Exception):
    """The launch is malformed. `code` is a stable upper-case word for `data-error`."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail or code)
        self.code = code


class IdentityError(Exception):
    """The identity is missing, expired, forged or of another program; `code` says which."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail or code)
        self.code = code
