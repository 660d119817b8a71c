"""Programs and stores are read once in two seconds; what is saved here is known at once."""

import time

import pytest
from pytest_django import DjangoAssertNumQueries

from loyaltyview.programs import program_cache
from loyaltyview.programs.models import Program, Store
from loyaltyview.programs.program_cache import program_by_id, program_by_slug, store_by_id


def test_what_was_read_is_not_read_again(
    program: Program, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program_cache, "KEPT_S", 600)
    with django_assert_num_queries(3):
        for _ in range(5):
            assert program_by_id(program.pk) == program
            assert program_by_slug("acme") == program
            assert store_by_id(program.pk, "US_BOSTON_01") is not None


def test_what_is_saved_is_known_at_once(program: Program) -> None:
    assert program_by_id(program.pk).name == "Acme Club"
    assert store_by_id(program.pk, "US_BOSTON_01") is not None
    program.name = "Acme Circle"
    program.save()
    Store.objects.get().delete()
    assert program_by_id(program.pk).name == "Acme Circle"
    assert store_by_id(program.pk, "US_BOSTON_01") is None


def test_what_another_process_saved_is_known_after_two_seconds(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program_by_id(program.pk)
    Program.objects.update(is_active=False)  # sends no signal, as another process sends us none
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 2.1)
    assert not program_by_id(program.pk).is_active


def test_what_is_not_there_is_looked_for_again(program: Program) -> None:
    assert program_by_slug("emca") is None
    assert program_by_slug("ac\x00me") is None
    with pytest.raises(Program.DoesNotExist):
        program_by_id(program.pk + 1)
    Program.objects.update(slug="emca")
    assert program_by_slug("emca") == program
