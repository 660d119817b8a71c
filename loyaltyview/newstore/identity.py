"""The associate's identity: NewStore's token is checked once at login, and our own identity is made from it.

Our identity travels through the host app and comes back in every launch (`externalIdentity`). It is
encrypted and authenticated, and holds the program, the associate and the device: no name, no e-mail.
Source: docs/contracts/newstore.md 3.
"""

import json
import re
import time
from typing import Any

import jwt
from cryptography.fernet import InvalidToken
from django.conf import settings

from loyaltyview.newstore.context import Associate
from loyaltyview.newstore.errors import IdentityError
from loyaltyview.newstore.keys import signing_key
from loyaltyview.newstore.staff import find_staff_id
from loyaltyview.newstore.token_kinds import HEADER_TYPES, why_not_an_associate
from loyaltyview.ops.encrypted import box
from loyaltyview.programs.models import Program

# Marks our identities: the same keys encrypt credentials and access tokens, which must not pass for one.
PURPOSE = "identity"
LEEWAY_S = 60
MAX_TOKEN = 16_384
MAX_IDENTITY = 4096
MAX_ID = 100


def verify_associate(program: Program, bearer: str, device_id: str) -> Associate:
    """Return the associate named in NewStore's token. May fetch NewStore's keys (3 s at most) and, where
    the program allows, look up their associate id (2 s at most; a failure leaves the token's subject).

    Raises IdentityError: TOKEN_INVALID, TOKEN_EXPIRED, KEYS_UNAVAILABLE.
    """
    token = re.sub(r"^Bearer +", "", bearer.strip(), flags=re.IGNORECASE)
    if not token or len(token) > MAX_TOKEN or not token.isascii():
        raise IdentityError("TOKEN_INVALID", "not a token")
    claims = _claims(program, token, _key_id(token))
    subject = claims["sub"]
    if not is_id(subject):
        raise IdentityError("TOKEN_INVALID", "the subject is not an id")
    if trouble := why_not_an_associate(claims, program.newstore_client_id):
        raise IdentityError("TOKEN_INVALID", trouble)
    staff_id = find_staff_id(program, claims.get("email")) if program.newstore_lookup_associates else ""
    return Associate(associate_id=staff_id or subject, device_id=device_id, is_staff_id=bool(staff_id))


def issue_identity(program: Program, associate: Associate) -> str:
    """Return our identity for this associate on this device: opaque, safe in URLs, IDENTITY_HOURS valid."""
    claims = {
        "purpose": PURPOSE,
        "program": program.slug,
        "associate": associate.associate_id,
        "device": associate.device_id,
        "is_staff_id": associate.is_staff_id,
    }
    return box().encrypt(json.dumps(claims).encode()).decode().rstrip("=")


def read_identity(program: Program, token: str) -> Associate:
    """Return the associate named in our identity.

    Raises IdentityError: IDENTITY_MISSING, IDENTITY_EXPIRED, IDENTITY_INVALID, IDENTITY_OTHER_PROGRAM.
    """
    if not token:
        raise IdentityError("IDENTITY_MISSING")
    if len(token) > MAX_IDENTITY or not re.fullmatch(r"[A-Za-z0-9_-]+=*", token):
        raise IdentityError("IDENTITY_INVALID", "not one of ours")
    sealed = token.rstrip("=")
    sealed += "=" * (-len(sealed) % 4)
    try:
        claims = json.loads(box().decrypt(sealed))
        age_s = time.time() - box().extract_timestamp(sealed)
    except (InvalidToken, ValueError) as error:
        raise IdentityError("IDENTITY_INVALID", "not one of ours") from error
    if not isinstance(claims, dict) or claims.get("purpose") != PURPOSE or age_s < -LEEWAY_S:
        raise IdentityError("IDENTITY_INVALID", "not an identity")
    if claims["program"] != program.slug:
        raise IdentityError("IDENTITY_OTHER_PROGRAM")
    if age_s > settings.IDENTITY_HOURS * 3600:
        raise IdentityError("IDENTITY_EXPIRED")
    return Associate(
        associate_id=claims["associate"],
        device_id=claims["device"],
        is_staff_id=claims.get("is_staff_id") is True,
    )


def is_id(value: object) -> bool:
    """True for a non-empty printable text that fits into our columns."""
    return isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isprintable()


def _key_id(token: str) -> str:
    """Return the key id in the token's header. Any other algorithm than RS256 is refused before any request:
    `none` is no signature, and HS256 would take NewStore's public key for a shared secret."""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise IdentityError("TOKEN_INVALID", "a header that does not parse") from error
    kid = header.get("kid")
    if header.get("alg") != "RS256" or not is_id(kid):
        raise IdentityError("TOKEN_INVALID", "not signed with RS256 and a named key")
    if str(header.get("typ", "JWT")).lower() not in HEADER_TYPES:
        raise IdentityError("TOKEN_INVALID", "a header of another kind of token")
    return str(kid)


def _claims(program: Program, token: str, kid: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            signing_key(program, kid),
            algorithms=["RS256"],
            issuer=program.newstore_identity_url.rstrip("/"),
            audience=program.newstore_audience or None,
            leeway=LEEWAY_S,
            options={
                "require": ["exp", "iss", "sub"] + (["aud"] if program.newstore_audience else []),
                # NewStore does not document the audience of its associate tokens: checked where the program
                # names one.
                "verify_aud": bool(program.newstore_audience),
            },
        )
    except jwt.ExpiredSignatureError as error:
        raise IdentityError("TOKEN_EXPIRED") from error
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise IdentityError("TOKEN_INVALID", type(error).__name__) from error
    return claims
