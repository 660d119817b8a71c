"""Rows that were written while refs were ciphers of CREDENTIAL_KEYS get refs that do not depend on them."""

import base64
import importlib
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.apps import apps
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from loyaltyview.events.inbox import store_hints
from loyaltyview.events.models import Event, EventSource, Order
from loyaltyview.events.readers import read_hint
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption
from loyaltyview.redemptions.saga import find_tap
from loyaltyview.webview.models import ConsentChange, Launch
from providers.sales import SpendKind
from providers.types import WebhookEvent
from providers.yotpo.models import Enrolment
from providers.yotpo.refs import identity_of, ref_of

migration = importlib.import_module("providers.yotpo.migrations.0003_refs_of_emails")
pytestmark = pytest.mark.django_db

ANA = "ana@example.test"
OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture(autouse=True)
def _keys(settings: Settings, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    program.save()
    monkeypatch.setattr(migration, "BATCH", 2)
    # The table of spends is gone since; tests/providers/yotpo/test_rows_move_to_the_journal.py has its rows.
    monkeypatch.setattr(
        migration, "TABLES", tuple(table for table in migration.TABLES if table[1] != "Spend")
    )


def cipher_ref(key: str, email: str = ANA, program: str = "acme") -> str:
    """Return the ref as it was made of one key."""
    info = b"yotpo member ref:" + program.encode()
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(base64.urlsafe_b64decode(key))
    return "m:" + base64.urlsafe_b64encode(AESSIV(derived).encrypt(email.encode(), None)).decode().rstrip("=")


def migrate() -> None:
    with connection.cursor():
        migration.rewrite(apps, type("Editor", (), {"connection": connection}))


def redemption(program: Program, ref: str, key: str = "k-1", state: str = "revealed") -> Redemption:
    return Redemption.objects.create(
        program=program, key=key, launch_id="launch-1", cart={}, cart_id="cart-1", member_ref=ref,
        kind="reward", item_id="ten-off", title="$10 off", points=200, discount={}, currency="USD",
        state=state, code="LOY1", requested_at=timezone.now(), fingerprint=migration.fingerprint(
            {"launch_id": "launch-1", "kind": "reward", "item_id": "ten-off", "points": 200}, ref
        ),
    )  # fmt: skip


def plant(program: Program, ref: str) -> None:
    redemption(program, ref)
    Enrolment.objects.create(program="acme", member_ref=ref, enrolled_at=timezone.now())
    Launch.objects.create(
        program=program,
        secret_hash="x",
        cart={},
        member_ref=ref,
        expires_at=timezone.now() + timedelta(hours=1),
    )
    ConsentChange.objects.create(program=program, member_ref=ref, consent="sms", answer="yes", way="change")
    Order.objects.create(program=program, order_id="o-1", member_ref=ref)
    store_hints(program, [WebhookEvent(event_id="e-1", name="member_changed", member_ref=ref)])


def stored_refs() -> set[str]:
    tables = (Redemption, Enrolment, Launch, ConsentChange, Order)
    hints = {read_hint(bytes(event.payload)).member_ref for event in Event.objects.all()}
    return {ref for table in tables for ref in table.objects.values_list("member_ref", flat=True)} | hints


@pytest.mark.parametrize("key", [OLD, NEW], ids=["old", "new"])
def test_every_table_names_the_member_by_the_new_ref(program: Program, key: str, settings: Settings) -> None:
    plant(program, cipher_ref(key))
    migrate()
    settings.CREDENTIAL_KEYS = [NEW]
    ref = ref_of("acme", customer_id="", email=ANA)

    assert stored_refs() == {ref}
    assert Event.objects.get().source == EventSource.PROVIDER
    assert identity_of("acme", ref) == {"customer_email": ANA}


def test_a_tap_that_is_repeated_after_the_migration_is_the_same_tap(program: Program) -> None:
    row = redemption(program, cipher_ref(OLD))
    migrate()
    row.refresh_from_db()
    found = find_tap(
        program, launch_id="launch-1", member_ref=row.member_ref, key="k-1", kind=SpendKind.REWARD,
        item_id="ten-off", points=200,
    )  # fmt: skip

    assert found == row


def test_two_refs_of_one_member_become_one(program: Program) -> None:
    plant(program, cipher_ref(OLD))
    Order.objects.create(program=program, order_id="o-2", member_ref=cipher_ref(NEW))
    Enrolment.objects.create(program="acme", member_ref=cipher_ref(NEW), enrolled_at=timezone.now())
    migrate()

    assert stored_refs() == {ref_of("acme", customer_id="", email=ANA)}
    assert Enrolment.objects.count() == 1


def test_two_open_redemptions_of_one_member_both_stay_readable(program: Program) -> None:
    for key in (OLD, NEW):
        redemption(program, cipher_ref(key), key=key[:10], state="requested")
    migrate()
    refs = set(Redemption.objects.values_list("member_ref", flat=True))

    assert len(refs) == 2
    assert {identity_of("acme", ref)["customer_email"] for ref in refs} == {ANA}


def test_many_rows_are_rewritten_in_batches_and_a_repetition_changes_nothing(program: Program) -> None:
    for number in range(7):
        email = f"member-{number}@example.test"
        Order.objects.create(program=program, order_id=f"o-{number}", member_ref=cipher_ref(OLD, email))
    migrate()
    first = list(Order.objects.order_by("pk").values_list("member_ref", flat=True))
    migrate()

    assert first == [
        ref_of("acme", customer_id="", email=f"member-{number}@example.test") for number in range(7)
    ]
    assert list(Order.objects.order_by("pk").values_list("member_ref", flat=True)) == first


@pytest.mark.parametrize(
    "ref",
    [cipher_ref(LOST), cipher_ref(OLD, program="other"), "m:", "m:of-another-vendor", "id:SHOP-1", ""],
    ids=["lost key", "other program", "empty", "other kind", "by id", "none"],
)
def test_what_is_no_old_ref_that_can_be_read_stays_as_it_is(program: Program, ref: str) -> None:
    Order.objects.create(program=program, order_id="o-1", member_ref=ref)
    migrate()

    assert Order.objects.get().member_ref == ref
