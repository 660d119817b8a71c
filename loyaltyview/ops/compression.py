"""Pages are compressed on the way out; of an answer in parts each part is sent at once.

Django's middleware would hold the first part of a page back until the compressor is full.
"""

from collections.abc import Iterator
from gzip import GzipFile
from secrets import randbelow

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware, re_accepts_gzip
from django.utils.cache import patch_vary_headers
from django.utils.text import StreamingBuffer


class PageCompression(GZipMiddleware):
    """As Django's, with the same random length against BREACH, except for answers in parts."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not isinstance(response, StreamingHttpResponse) or response.has_header("Content-Encoding"):
            whole: HttpResponseBase = super().process_response(request, response)
            return whole
        patch_vary_headers(response, ("Accept-Encoding",))
        if re_accepts_gzip.search(request.headers.get("Accept-Encoding", "")):
            response.streaming_content = _in_parts(iter(response), self.max_random_bytes)
            response["Content-Encoding"] = "gzip"
            del response["Content-Length"]
        return response


def _in_parts(parts: Iterator[bytes], max_random_bytes: int) -> Iterator[bytes]:
    """Yield each part compressed; an empty one, which says that the next is awaited, stays empty."""
    buffer = StreamingBuffer()
    filename = "a" * randbelow(max_random_bytes)
    with GzipFile(filename=filename, mode="wb", compresslevel=6, fileobj=buffer, mtime=0) as file:
        for part in parts:
            if part:
                file.write(part)
                file.flush()
            yield buffer.read()
    yield buffer.read()
