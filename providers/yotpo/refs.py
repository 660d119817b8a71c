"""The `ref` of a member: an id of the shop where Yotpo has one, else her e-mail as ciphertext.

Refs are stored with redemptions and orders, where no personal data belongs, and stand for one member each:
so the cipher is deterministic (AES-SIV) and nothing has to be looked up to read it.
"""

import base64
import binascii
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from providers.errors import Rejected, RejectReason

LONGEST = 200  # characters of a ref
BY_ID, BY_EMAIL = "id:", "m:"


def ref_of(program: str, *, customer_id: str, email: str) -> str:
    """Return the ref of a customer; raise Rejected(NOT_ALLOWED) for an e-mail too long to be one (above about
    130 characters)."""
    ref = BY_ID + customer_id
    if not customer_id or len(ref) > LONGEST:
        sealed = next(_ciphers(program)).encrypt(email.lower().encode(), None)
        ref = BY_EMAIL + base64.urlsafe_b64encode(sealed).decode().rstrip("=")
    if len(ref) > LONGEST:
        raise Rejected(RejectReason.NOT_ALLOWED, "e-mail too long for a ref")
    return ref


def identity_of(program: str, ref: str) -> dict[str, str]:
    """Return the one parameter by which Yotpo knows the member: `customer_id` or `customer_email`.
    Raises Rejected(MEMBER_NOT_FOUND) for what is no ref of this program."""
    if ref.startswith(BY_ID) and len(ref) > len(BY_ID):
        return {"customer_id": ref.removeprefix(BY_ID)}
    if ref.startswith(BY_EMAIL):
        text = ref.removeprefix(BY_EMAIL)
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            sealed = b""
        for cipher in _ciphers(program):
            try:
                return {"customer_email": cipher.decrypt(sealed, None).decode()}
            except (InvalidTag, ValueError):
                continue
    raise Rejected(RejectReason.MEMBER_NOT_FOUND, "no ref of this program")


def _ciphers(program: str) -> Iterator[AESSIV]:
    """Yield a cipher for each of CREDENTIAL_KEYS, the newest first: it seals, all open."""
    for key in settings.CREDENTIAL_KEYS:
        info = b"yotpo member ref:" + program.encode()
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(
            base64.urlsafe_b64decode(key)
        )
        yield AESSIV(derived)
