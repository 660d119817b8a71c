"""Reading a delivery's body: within bounds, whole, chunked ones too."""

from django.http import HttpRequest


class BodyCutShort(Exception):
    """The sender went away before the whole body was here."""


def read_body(request: HttpRequest, limit: int) -> bytes | None:
    """Return the body, None when it is larger than `limit` bytes. Never reads more than that.
    Raises BodyCutShort and django.http.UnreadablePostError."""
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared.isdecimal():
        size = int(declared)
        if size > limit:
            return None
        body: bytes = request.read(size)
        if len(body) < size:
            raise BodyCutShort
        return body
    # Chunked: Django takes a body without a length for empty, so the server's own stream is read. Only a
    # server that says where the body ends; others would wait for more until the time-out.
    if not request.META.get("wsgi.input_terminated"):
        return b""
    body = request.META["wsgi.input"].read(limit + 1)
    return None if len(body) > limit else body
