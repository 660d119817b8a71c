"""A language can be added: its catalogue is made, translated and compiled, and the page shows it."""

import ast
import re
from io import StringIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from loyaltyview.ops.management.commands import messages
from loyaltyview.ops.management.commands.messages import KEYWORDS, collect
from loyaltyview.programs.models import Program
from tests.test_architecture import ROOT, modules

TEXT = "Here, outside the app, there is no cart to show."
IN_ESPERANTO = "Ĉi tie, ekster la apo, estas neniu ĉaro por montri."


@pytest.fixture
def locale(settings: Settings, tmp_path: Path) -> Path:
    """An empty folder of catalogues."""
    settings.LOCALE_PATHS = [tmp_path]
    return tmp_path


def run(**options: object) -> str:
    out = StringIO()
    call_command("messages", stdout=out, **options)
    return out.getvalue()


def translate(path: Path, text: str, translation: str) -> None:
    """Write a translation into a catalogue, as a translator does."""
    with path.open("rb") as file:
        catalogue = read_po(file)
    catalogue[text].string = translation
    with path.open("wb") as file:
        write_po(file, catalogue)


def page(client: Client, language: str) -> str:
    return client.get("/launch/acme/", headers={"accept-language": language}).content.decode()


@pytest.mark.django_db
def test_the_page_is_in_a_new_language_once_its_texts_are_translated(
    locale: Path, program: Program, client: Client
) -> None:
    program.languages = ["en", "eo"]
    program.save()
    assert run(add="eo").startswith("eo: 0 of ")
    catalogue = locale / "eo" / "LC_MESSAGES" / "django.po"
    translate(catalogue, TEXT, IN_ESPERANTO)

    assert run().startswith("eo: 1 of ")
    assert IN_ESPERANTO in page(client, "eo")
    assert TEXT in page(client, "en")
    before = catalogue.read_bytes()
    assert run(add="eo").startswith("eo: 1 of ")
    assert catalogue.read_bytes() == before


def test_without_a_language_the_first_step_is_named(locale: Path) -> None:
    assert run() == "No language has a catalogue yet: --add LANGUAGE begins one.\n"


def test_an_unknown_language_is_refused(locale: Path) -> None:
    with pytest.raises(CommandError, match="klingon is not a language code"):
        run(add="klingon")

    assert not list(locale.iterdir())


def test_a_translation_that_lost_its_placeholder_is_refused(locale: Path) -> None:
    run(add="fr")
    translate(locale / "fr" / "LC_MESSAGES" / "django.po", "%(points)s are back.", "Des points rendus %(p)s.")

    with pytest.raises(CommandError, match=r"%\(points\)s are back"):
        run(compile=True)


def test_every_text_of_code_and_templates_is_collected() -> None:
    collected = {
        text
        for message in collect()
        for text in (message.id if isinstance(message.id, tuple) else [message.id])
    }
    templates = [
        text
        for path in ROOT.glob("[lpt]*/**/*.html")
        if "templates" in path.parts
        for _quote, text in re.findall(r"""{% translate (["'])(.+?)\1""", path.read_text())
    ]
    code = [
        node.args[0].value
        for path in [*modules("loyaltyview"), *modules("providers")]
        if "utils.translation" in path.read_text()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS
        if isinstance(node.args[0], ast.Constant)
    ]

    assert templates
    assert code
    assert sorted({*templates, *code} - collected) == []


@pytest.mark.parametrize(
    ("translation", "fault"),
    [
        ("", "not translated"),
        ("Des points rendus.", "another placeholder"),
        ("%(points)s <b>rendus</b>.", "another tag"),
        ("%(points)s rendus. ", "another space at an end"),
    ],
)
def test_a_catalogue_is_complete_only_without_a_fault(
    locale: Path, translation: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = Catalog()
    texts.add("%(points)s are back.")
    monkeypatch.setattr(messages, "collect", lambda: texts)
    run(check=True)
    run(add="fr")
    catalogue = locale / "fr" / "LC_MESSAGES" / "django.po"
    translate(catalogue, "%(points)s are back.", translation)
    with pytest.raises(CommandError, match="Not complete: fr 1"):
        run(check=True, stderr=(told := StringIO()))
    assert fault in told.getvalue()
    translate(catalogue, "%(points)s are back.", "%(points)s rendus.")
    run(check=True)


def test_a_catalogue_with_a_text_that_is_gone_is_stale(locale: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = Catalog()
    texts.add("Undo")
    monkeypatch.setattr(messages, "collect", lambda: texts)
    run(add="fr")
    translate(locale / "fr" / "LC_MESSAGES" / "django.po", "Undo", "Annuler")
    monkeypatch.setattr(messages, "collect", Catalog)
    with pytest.raises(CommandError, match="fr 1"):
        run(check=True)
