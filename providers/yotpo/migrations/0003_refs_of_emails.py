"""Give members whom Yotpo knows by their e-mail a ref that does not depend on CREDENTIAL_KEYS.

Until now their ref was "m:" and the e-mail, enciphered (AES-SIV) with a key made of one of CREDENTIAL_KEYS.
Now it is "m:" and a hash of the e-mail. Rows of all apps that name members are rewritten, a batch at a time;
the cipher is authenticated, so a repetition takes no hash for one. A ref that no key opens stays as it is.
"""

import base64
import binascii
import hashlib
import hmac
import json
import logging
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import IntegrityError, migrations, transaction

from providers.sealing import seal, unseal

log = logging.getLogger(__name__)

BATCH = 500
OLD = "m:"
# Model, column of the ref, and what leads to the program's slug.
TABLES = (
    ("yotpo", "Spend", "member_ref", "program"),
    ("yotpo", "Enrolment", "member_ref", "program"),
    ("redemptions", "Redemption", "member_ref", "program__slug"),
    ("webview", "Launch", "member_ref", "program__slug"),
    ("webview", "ConsentChange", "member_ref", "program__slug"),
    ("events", "Order", "member_ref", "program__slug"),
)


# What a redemption's fingerprint is made of besides the ref.
FINGERPRINTED = ("launch_id", "kind", "item_id", "points", "fingerprint")


def rewrite(apps, schema_editor):
    alias = schema_editor.connection.alias
    book = Book(apps, alias)
    for app, name, column, slug in TABLES:
        model = apps.get_model(app, name)
        for rows in batches(model.objects.using(alias).filter(**{f"{column}__startswith": OLD})):
            rewrite_batch(model, rows, column, slug, book)
    events = apps.get_model("events", "Event").objects.using(alias)
    for rows in batches(events.filter(source="provider")):
        rewrite_payloads(rows, book)
    if book.unopened:
        log.warning("%d stored members of Yotpo cannot be read with CREDENTIAL_KEYS", len(book.unopened))


def batches(rows):
    """Yield querysets of at most BATCH rows, in the order of their keys."""
    pks = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    while pks:
        yield rows.model._default_manager.using(rows.db).filter(pk__in=pks)
        pks = list(rows.filter(pk__gt=pks[-1]).order_by("pk").values_list("pk", flat=True)[:BATCH])


def rewrite_batch(model, rows, column, slug, book):
    """Write a batch with one statement; row by row where two refs of one member meet in a table that names
    each member once."""
    programs = dict(rows.values_list("pk", slug))
    fields = (column, *FINGERPRINTED) if model._meta.model_name == "redemption" else (column,)
    found = [(row, programs[row.pk], getattr(row, column)) for row in rows.only(*fields)]
    renamed = [(row, program, old, new) for row, program, old in found if (new := book.new_ref(program, old))]
    for row, _program, old, new in renamed:
        rename(row, column, old, new)
    changed = [field for field in fields if field in (column, "fingerprint")]
    try:
        with transaction.atomic(using=book.alias):
            rows.bulk_update([row for row, *_ in renamed], changed, batch_size=BATCH)
    except IntegrityError:
        for row, program, old, new in renamed:
            save_one(row, column, changed, program, old, new, book)


def save_one(row, column, changed, program, old, new, book):
    try:
        with transaction.atomic(using=book.alias):
            row.save(using=book.alias, update_fields=changed)
    except IntegrityError:
        if row._meta.model_name == "enrolment":
            row.delete(using=book.alias)
        else:
            rename(row, column, new, book.second_name(program, old, new))
            row.save(using=book.alias, update_fields=changed)


def rename(row, column, old, new):
    """Give `row` the new ref, and the fingerprint that goes with it: a repeated tap is known by that."""
    setattr(row, column, new)
    if row._meta.model_name == "redemption" and row.fingerprint == fingerprint(vars(row), old):
        row.fingerprint = fingerprint(vars(row), new)


def fingerprint(row, ref):
    chosen = row["points"] if row["kind"] == "points" else None
    text = json.dumps([row["launch_id"], ref, row["kind"], row["item_id"], chosen])
    return hashlib.sha256(text.encode()).hexdigest()


def rewrite_payloads(rows, book):
    """Rewrite the refs in the vendor's deliveries that are kept: an erasure looks for them there."""
    for pk, slug, payload in rows.values_list("pk", "program__slug", "payload"):
        try:
            old = json.loads(bytes(payload)).get("member_ref")
        except (ValueError, AttributeError):
            continue
        new = book.new_ref(slug, old) if isinstance(old, str) and old.startswith(OLD) else ""
        if new:
            rows.filter(pk=pk).update(payload=bytes(payload).replace(old.encode(), new.encode()))


class Book:
    """Opens old refs and hands out new ones, remembering in `EmailRef` whom each stands for."""

    def __init__(self, apps, alias):
        self.alias = alias
        self.keys = apps.get_model("yotpo", "RefKey").objects.using(alias)
        self.emails = apps.get_model("yotpo", "EmailRef").objects.using(alias)
        self.key_of = lru_cache(maxsize=None)(self._key_of)
        self.new_ref = lru_cache(maxsize=100_000)(self._new_ref)
        self.unopened = set()

    def _new_ref(self, program, old):
        """Return the new ref, "" for what is no old one of this program or cannot be opened."""
        email = opened(program, old)
        if not email:
            if not self.emails.filter(program=program, ref=old).exists():
                self.unopened.add((program, old))
            return ""
        digest = hmac.digest(self.key_of(program), email.encode(), hashlib.sha256)
        new = OLD + base64.urlsafe_b64encode(digest).decode().rstrip("=")
        self.remember(program, new, email)
        return new

    def second_name(self, program, old, new):
        """Return another ref of the same member, for the second of two open redemptions."""
        second = f"{new}+{hashlib.sha256(old.encode()).hexdigest()[:8]}"
        self.remember(program, second, opened(program, old))
        return second

    def remember(self, program, ref, email):
        self.emails.get_or_create(program=program, ref=ref, defaults={"sealed_email": seal(email)})

    def _key_of(self, program):
        row, _created = self.keys.get_or_create(
            program=program, defaults={"sealed_key": seal(secrets.token_urlsafe(32))}
        )
        return unseal(row.sealed_key).encode()


def opened(program, old):
    """Return the e-mail in an old ref, "" when none of CREDENTIAL_KEYS opens it."""
    text = old.removeprefix(OLD)
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return ""
    for key in settings.CREDENTIAL_KEYS:
        try:
            return cipher(program, key).decrypt(sealed, None).decode()
        except (InvalidTag, ValueError):
            continue
    return ""


@lru_cache(maxsize=100)
def cipher(program, key):
    info = b"yotpo member ref:" + program.encode()
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(base64.urlsafe_b64decode(key))
    return AESSIV(derived)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("yotpo", "0002_ref_keys"),
        ("programs", "0003_erasure"),
        ("redemptions", "0003_indexes"),
        ("webview", "0005_replaced_launch"),
        ("events", "0005_unreachable_stream"),
    ]

    operations = [
        migrations.RunPython(rewrite, migrations.RunPython.noop),
    ]
