"""Parts of a page that are rendered once for all that they show."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template, TemplateSyntaxError
from django.utils import translation
from django.utils.safestring import mark_safe

from loyaltyview.webview import kept
from providers.types import Money

TEMPLATES = settings.BASE_DIR / "templates"
PART = re.compile(r"{% kept.*?%}(.*?){% endkept %}", re.DOTALL)
INCLUDED = re.compile(r'{% include "([^"]+)"')
# What differs between two pages that show the same, or between two days.
CHANGING = re.compile(r"{% (?:csrf_token|new_key|clock)|\|day|\|expiry|forloop|launch\.|request\.|member\.")
NAMED = "{% load webview %}{% kept name=name %}{{ name }}{% endkept %}"


def rendered(template: Template, **values: object) -> str:
    return str(template.render(Context(values)))


class Name(str):
    """A text that notes when it is rendered."""

    seen: list[str] = []

    def __str__(self) -> str:
        self.seen.append(self[:])
        return self[:]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(kept, "_parts", {})
    monkeypatch.setattr(Name, "seen", [])
    return Name.seen


def test_a_part_is_rendered_once_for_what_it_shows(seen: list[str]) -> None:
    template = Template(NAMED)
    assert [rendered(template, name=Name(name)) for name in ("Mia", "Noah", "Mia")] == ["Mia", "Noah", "Mia"]
    assert seen == ["Mia", "Noah"]


def test_a_part_is_rendered_for_each_language() -> None:
    template = Template("{% load webview %}{% kept money=money %}{{ money|money }}{% endkept %}")
    money = Money(amount=Decimal("12.50"), currency="EUR")
    for language, text in (("en", "€12.50"), ("de", "12,50\xa0€"), ("en", "€12.50")):
        with translation.override(language):
            assert rendered(template, money=money) == text


def test_a_part_sees_only_what_it_names() -> None:
    template = Template("{% load webview %}{% kept name=name %}{{ name }}{{ secret }}{% endkept %}")
    assert rendered(template, name="Mia", secret="secret") == "Mia"


def test_a_part_escapes_a_text_that_equals_a_safe_one() -> None:
    template = Template(NAMED)
    assert rendered(template, name=mark_safe("<b>")) == "<b>"
    assert rendered(template, name="<b>") == "&lt;b&gt;"


def test_the_oldest_parts_make_room(monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> None:
    monkeypatch.setattr(kept, "MOST_PARTS", 2)
    template = Template(NAMED)
    for name in ("Mia", "Noah", "Anna", "Mia"):
        rendered(template, name=Name(name))
    assert seen == ["Mia", "Noah", "Anna", "Mia"]
    assert len(kept._parts) == 2


def test_a_part_takes_names_only() -> None:
    with pytest.raises(TemplateSyntaxError):
        Template("{% load webview %}{% kept name %}{% endkept %}")


def included(body: str) -> str:
    """Return `body` with the text of all templates that it includes."""
    parts = [(TEMPLATES / name).read_text() for name in INCLUDED.findall(body)]
    return body + "".join(included(part) for part in parts)


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_no_part_holds_what_changes_with_the_page_or_the_day(path: Path) -> None:
    assert [CHANGING.findall(included(part)) for part in PART.findall(path.read_text())] == [
        [] for _part in PART.findall(path.read_text())
    ]
