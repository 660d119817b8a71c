"""Refs of members known by their e-mail: one for each, whichever of CREDENTIAL_KEYS are set."""

from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from pytest_django import Settings

from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.errors import Rejected, RejectReason
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.states import Journal
from providers.yotpo.members import forget_old
from providers.yotpo.models import EmailRef
from providers.yotpo.provider import YotpoProvider
from providers.yotpo.refs import ALSO, identity_of, ref_of
from tests.providers.contract_setup import erase_member
from tests.providers.yotpo.build import ANA, TEN_OFF, make_intent, points_of, ref

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def _old_key(settings: Settings) -> None:
    settings.CREDENTIAL_KEYS = [OLD]


def test_a_member_has_one_ref_before_during_and_after_a_rotation(
    provider: YotpoProvider, settings: Settings
) -> None:
    before = ref(provider, ANA)
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    during = ref(provider, ANA)
    call_command("rotate_credentials", verbosity=0)
    settings.CREDENTIAL_KEYS = [NEW]

    assert before == during == ref(provider, ANA)
    assert provider.get_member(before).email == ANA


def test_points_spent_before_a_rotation_are_given_back_after_it(
    provider: YotpoProvider, settings: Settings
) -> None:
    ana = ref(provider, ANA)
    spendable, _reserved = points_of(provider, ana)
    spend = provider.spend(make_intent(ana))
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    call_command("rotate_credentials", verbosity=0)
    settings.CREDENTIAL_KEYS = [NEW]
    provider.release(spend)

    assert points_of(provider, ana)[0] == spendable


def test_a_member_to_whom_the_shop_gives_an_id_keeps_the_ref(provider: YotpoProvider, yotpo: Yotpo) -> None:
    before = ref(provider, ANA)
    next(each for each in yotpo.books.customers if each.email == ANA).third_party_id = "SHOP-9000"

    assert ref(provider, ANA) == before


def test_no_email_stands_in_the_clear(provider: YotpoProvider) -> None:
    row = EmailRef.objects.get(ref=ref(provider, ANA))

    assert ANA not in f"{row.ref} {row.sealed_email}".lower()


def test_the_ref_of_an_erased_member_leads_to_nobody(provider: YotpoProvider) -> None:
    ana = ref(provider, ANA)
    provider.spend(make_intent(ana, TEN_OFF, 200))

    assert erase_member(provider, ana, "ERASED-1") == 2  # the redemption and the e-mail
    assert Write.objects.get().member_ref == "ERASED-1"
    with pytest.raises(Rejected) as refused:
        identity_of("acme", ana)
    assert refused.value.reason is RejectReason.MEMBER_NOT_FOUND


def test_a_member_is_erased_under_a_second_name_too(provider: YotpoProvider) -> None:
    ana = ref(provider, ANA)
    second = EmailRef.objects.get(ref=ana)
    second.pk, second.ref = None, f"{ana}{ALSO}12345678"
    second.save()
    provider.spend(make_intent(second.ref, TEN_OFF, 200))

    assert erase_member(provider, ana, "ERASED-1") == 3  # the redemption and the e-mail under both names
    assert Write.objects.get().member_ref == "ERASED-1"
    assert not EmailRef.objects.exists()


@pytest.mark.django_db
def test_an_email_is_forgotten_when_the_ref_was_long_not_used() -> None:
    then, before = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)
    old, held, young = (ref_of("acme", customer_id="", email=f"{name}@example.test") for name in "abc")
    journal = Journal(vendor="yotpo", program="acme")
    journal.open(WriteKind.SPEND, "k", member_ref=held, state=WriteState.DONE, waits_for_order=True)
    EmailRef.objects.filter(ref__in=[old, held]).update(seen_at=then)

    assert forget_old(before) == 1
    assert set(EmailRef.objects.values_list("ref", flat=True)) == {held, young}
