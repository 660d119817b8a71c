"""What a process does before it takes requests."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from loyaltyview.programs.models import Program
from loyaltyview.webview import warm_up


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    rendered: list[str] = []
    render: Callable[..., HttpResponse] = warm_up.render

    def note(*page: Any) -> HttpResponse:
        response = render(*page)
        rendered.append(response.content.decode())
        return response

    monkeypatch.setattr(warm_up, "render", note)
    return rendered


@pytest.mark.django_db
def test_warming_up_renders_a_page_and_writes_nothing(pages: list[str]) -> None:
    with CaptureQueriesContext(connection) as queries:
        warm_up.warm_up()
    assert 'data-state="available"' in pages[0]
    assert 'data-state="locked"' in pages[0]
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}


@pytest.mark.django_db
def test_every_language_of_a_program_is_ready(pages: list[str], program: Program) -> None:
    Program.objects.update(languages=["en-gb", "en"])
    warm_up.warm_up()
    assert [page.partition('lang="')[2].partition('"')[0] for page in pages] == ["en", "en-gb"]
    assert {"en", "en-gb"} <= set(get_resolver()._reverse_dict)


@pytest.mark.django_db
def test_a_process_starts_without_its_database(monkeypatch: pytest.MonkeyPatch, pages: list[str]) -> None:
    def refuse(_program_id: int) -> None:
        raise OperationalError

    monkeypatch.setattr(warm_up, "program_by_id", refuse)
    warm_up.warm_up()
    assert pages == []
