"""The `ref` of a member: an id of the shop where Yotpo has one, else a keyed hash of the e-mail.

Refs are stored with redemptions and orders, where no personal data belongs, and stand for one member each.
So the hash has a key of its own that never changes (`RefKey`), and `EmailRef` says which e-mail it stands
for: an erasure deletes that row, and then the ref leads to nobody. See docs/decisions/0007.
"""

import base64
import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.db.models import Q
from django.utils import timezone

from providers.errors import Rejected, RejectReason
from providers.journal import retention
from providers.retention import delete_in_steps
from providers.sealing import seal, unseal
from providers.yotpo.models import EmailRef, RefKey

LONGEST = 200  # characters of a ref
BY_ID, BY_EMAIL = "id:", "m:"
# The migration gives a second name to a member of whom two open redemptions had two refs.
ALSO = "+"
SEEN_AGAIN_AFTER = timedelta(days=1)


def ref_of(program: str, *, customer_id: str, email: str) -> str:
    """Return the ref of a customer and remember whom it names. One whom we know by the e-mail already keeps
    that ref when the shop gives an id later. Raises Rejected(NOT_ALLOWED) without both."""
    ref = hinted_ref(program, customer_id=customer_id, email=email)
    if not ref:
        raise Rejected(RejectReason.NOT_ALLOWED, "neither an id nor an e-mail")
    if ref.startswith(BY_EMAIL):
        sealed = {"sealed_email": seal(email.lower())}
        EmailRef.objects.get_or_create(program=program, ref=ref, defaults=sealed)
    return ref


def hinted_ref(program: str, *, customer_id: str, email: str) -> str:
    """Return the ref of a customer whom a delivery names, "" for nobody; remembers nobody."""
    by_id = BY_ID + customer_id
    is_id = by_id != BY_ID and len(by_id) <= LONGEST
    by_email = ref_by_email(program, email) if email else ""
    if is_id and not (by_email and EmailRef.objects.filter(program=program, ref=by_email).exists()):
        return by_id
    return by_email


def identity_of(program: str, ref: str) -> dict[str, str]:
    """Return the one parameter by which Yotpo knows the member: `customer_id` or `customer_email`.
    Raises Rejected(MEMBER_NOT_FOUND) for what is no ref of this program."""
    if ref.startswith(BY_ID) and len(ref) > len(BY_ID):
        return {"customer_id": ref.removeprefix(BY_ID)}
    known = EmailRef.objects.filter(program=program, ref=ref).first() if ref.startswith(BY_EMAIL) else None
    if known is None:
        raise Rejected(RejectReason.MEMBER_NOT_FOUND, "no ref of this program")
    now = timezone.now()
    if known.seen_at < now - SEEN_AGAIN_AFTER:
        EmailRef.objects.filter(pk=known.pk).update(seen_at=now)
    return {"customer_email": unseal(known.sealed_email)}


def ref_by_email(program: str, email: str) -> str:
    """Return the ref that stands for the e-mail in this program: 45 characters, always the same."""
    digest = hmac.digest(_key(program), email.lower().encode(), sha256)
    return BY_EMAIL + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def forget_emails(before: datetime) -> int:
    """Delete the e-mails of refs that were last used before that time, and about which nothing is under way;
    return how many."""
    old = EmailRef.objects.filter(seen_at__lt=before)
    return delete_in_steps(old.exclude(ref__in=retention.refs_under_way("yotpo")))


def forget_member(program: str, ref: str, pseudonym: str) -> int:
    """Delete which e-mail the ref stands for. The journal puts the pseudonym in the place of the ref itself,
    and here in the place of a second name. Return how many rows."""
    names = EmailRef.objects.filter(Q(ref=ref) | Q(ref__startswith=ref + ALSO), program=program)
    others = [name for name in names.values_list("ref", flat=True) if name != ref]
    return retention.erase_member("yotpo", program, others, pseudonym) + names.delete()[0]


def _key(program: str) -> bytes:
    row, _created = RefKey.objects.get_or_create(
        program=program, defaults={"sealed_key": seal(secrets.token_urlsafe(32))}
    )
    return unseal(row.sealed_key).encode()
