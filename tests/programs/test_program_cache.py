"""Programs and stores are read once in two seconds; changes made in this process are seen immediately."""

import time

import pytest
from pytest_django import DjangoAssertNumQueries

from loyaltyview.programs import program_cache
from loyaltyview.programs.models import Program, Store
from loyaltyview.programs.program_cache import program_by_id, program_by_slug, store_by_id


def test_a_program_is_read_once_in_two_seconds(
    program: Program, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program_cache, "KEPT_S", 600)
    with django_assert_num_queries(3):
        for _ in range(5):
            assert program_by_id(program.pk) == program
            assert program_by_slug("acme") == program
            assert store_by_id(program.pk, "US_BOSTON_01") is not None


def test_a_saved_program_is_seen_immediately(program: Program) -> None:
    assert program_by_id(program.pk).name == "Acme Club"
    assert store_by_id(program.pk, "US_BOSTON_01") is not None
    program.name = "Acme Circle"
    program.save()
    Store.objects.get().delete()
    assert program_by_id(program.pk).name == "Acme Circle"
    assert store_by_id(program.pk, "US_BOSTON_01") is None


def test_a_change_of_another_process_is_seen_after_two_seconds(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program_by_id(program.pk)
    Program.objects.update(is_active=False)  # sends no signal, as another process sends us none
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 2.1)
    assert not program_by_id(program.pk).is_active


def test_a_missing_program_is_looked_up_again(program: Program) -> None:
    assert program_by_slug("emca") is None
    assert program_by_slug("ac\x00me") is None
    with pytest.raises(Program.DoesNotExist):
        program_by_id(program.pk + 1)
    Program.objects.update(slug="emca")
    assert program_by_slug("emca") == program
