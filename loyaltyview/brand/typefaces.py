"""Typefaces: a file is checked, reduced to the letters of our languages, and written as WOFF2.

Chinese, Japanese and Korean are left out: their typefaces weigh megabytes, and the device has its own.
"""

from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO

from django.utils.translation import gettext as _
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

MOST_BYTES = 1_000_000  # the server takes no larger request (EVENT_MAX_BYTES)
MOST_STORED = 60 * 1024
SIGNATURES = (b"\x00\x01\x00\x00", b"OTTO", b"true", b"wOFF", b"wOF2")
LATIN = (*range(0x20, 0x7F), *range(0xA0, 0x180), 0x192, *range(0x218, 0x21C), *range(0x2B0, 0x2DE))
SIGNS = (*range(0x2010, 0x2040), *range(0x20A0, 0x20C1), 0x2122, 0x2190, 0x2192, 0x2212, 0x2713)
OTHERS = (*range(0x370, 0x400), *range(0x400, 0x460), *range(0x5D0, 0x5F5), *range(0x600, 0x700))
# What is left out, the least needed first, where a typeface stays too large.
SETS = ((*LATIN, *SIGNS, *OTHERS), (*LATIN, *SIGNS))
DROPPED_TABLES = ["DSIG", "JSTF", "LTSH", "PCLT", "VDMX", "hdmx", "FFTM", "meta"]


class TypefaceError(ValueError):
    """The file cannot be a typeface of a page; the message says why, for administrators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallTypeface:
    """A typeface as WOFF2. `digest` is the SHA-256 of `content`."""

    content: bytes
    digest: str


def small_typeface(content: bytes) -> SmallTypeface:
    """Return the typeface in `content`, with our letters only. Raises TypefaceError."""
    if len(content) > MOST_BYTES:
        raise TypefaceError(_("The file is larger than 1 MB: upload one style, such as Regular, as WOFF2."))
    if not content.startswith(SIGNATURES):
        raise TypefaceError(_("This is no TTF, OTF, WOFF or WOFF2 typeface, whatever the file is called."))
    for letters in SETS:
        small = _subset(content, letters)
        if len(small) <= MOST_STORED:
            return SmallTypeface(content=small, digest=sha256(small).hexdigest())
    raise TypefaceError(
        _("Even with its Latin letters alone the typeface is larger than 60 kB: choose a simpler style.")
    )


def _subset(content: bytes, letters: tuple[int, ...]) -> bytes:
    options = Options()
    options.flavor = "woff2"
    options.hinting = False
    options.notdef_outline = True
    options.drop_tables = [*options.drop_tables, *DROPPED_TABLES]
    try:
        font = TTFont(BytesIO(content), lazy=True)
        if not {ord("A"), ord("a"), ord("0")} <= set(font.getBestCmap() or {}):
            raise TypefaceError(_("The typeface has no letters and digits."))
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=letters)
        subsetter.subset(font)
        font.flavor = options.flavor
        file = BytesIO()
        font.save(file)
    except TypefaceError:
        raise
    except Exception as error:  # what a damaged file makes the reader do is not in its documents
        raise TypefaceError(_("The typeface is damaged and cannot be read.")) from error
    return file.getvalue()
