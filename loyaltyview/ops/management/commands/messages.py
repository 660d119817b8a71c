"""`manage.py messages`: collect the texts of the screens for translators, and compile what they translated.
`--check` only looks whether each catalogue is complete.

Babel does it, so nothing must be installed besides Python: Django's own makemessages and compilemessages need
GNU gettext. The catalogue of a language is loyaltyview/locale/<language>/LC_MESSAGES/django.po; Django reads
the .mo beside it. CONTRIBUTING.md says how to add a language. See decision 0034.
"""

import re
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

FOLDERS = ("loyaltyview", "providers", "templates")
KEYWORDS: Mapping[str, Any] = {
    **dict.fromkeys(("gettext", "gettext_lazy", "_", "lazy"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
TAGS = re.compile(r"</?[a-z]+")
BRACES = re.compile(r"\{\w*\}|%\(\w+\)")
# How many faults of a language are named; the rest are counted.
SHOWN = 10


class Command(BaseCommand):
    help = "Bring the catalogue of each language up to date with the texts of the screens, and compile it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--add", metavar="LANGUAGE", help="begin a new language, such as fr or pt-br")
        parser.add_argument("--compile", action="store_true", help="compile only")
        parser.add_argument("--check", action="store_true", help="fail unless every catalogue is complete")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self._check()
            return
        if options["add"]:
            begin(options["add"])
        texts = None if options["compile"] else collect()
        if not catalogues() and texts is not None:
            self.stdout.write("No language has a catalogue yet: --add LANGUAGE begins one.")
        for path in catalogues():
            if texts is not None:
                update(path, texts)
            catalogue = compile_catalogue(path)
            done = sum(_is_translated(message) for message in catalogue)
            self.stdout.write(f"{path.parent.parent.name}: {done} of {len(catalogue)} texts are translated")

    def _check(self) -> None:
        texts = collect()
        counts = []
        for path in catalogues():
            language, found = path.parent.parent.name, list(faults(_read(path), texts))
            for fault in found[:SHOWN]:
                self.stderr.write(f"{language}: {fault}")
            counts += [f"{language} {len(found)}"] if found else []
        if counts:
            raise CommandError(
                f"Not complete: {', '.join(counts)}. make messages brings catalogues up to date."
            )


def catalogues() -> list[Path]:
    """Return the catalogue of each language."""
    return sorted(Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/django.po"))


def begin(language: str) -> None:
    """Make an empty catalogue for a language that Django knows; one that exists stays as it is."""
    if language not in dict(settings.LANGUAGES):
        raise CommandError(f"{language} is not a language code such as fr or pt-br.")
    name = to_locale(language)
    path = Path(settings.LOCALE_PATHS[0]) / name / "LC_MESSAGES" / "django.po"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        comment = f"# The texts of LoyaltyView in the language {language}."
        _write(
            path,
            Catalog(locale=Locale.parse(name), project="LoyaltyView", header_comment=comment, fuzzy=False),
        )


def collect() -> Catalog:
    """Return every text that is marked for translation in code and templates of the product."""
    texts = Catalog()
    for path in _sources():
        method = _extract_template if path.suffix == ".html" else "python"
        with path.open("rb") as file:
            found = extract(method, file, KEYWORDS, comment_tags=("Translators:",))
            for line, message, comments, context in found:
                place = path.relative_to(settings.BASE_DIR).as_posix()
                texts.add(message, locations=[(place, line)], auto_comments=comments, context=context)
    return texts


def update(path: Path, texts: Catalog) -> None:
    """Give the catalogue at `path` the texts of today; texts that are gone become comments."""
    catalogue = _read(path)
    texts.creation_date = catalogue.creation_date  # without a change the file stays as it is
    catalogue.update(texts, no_fuzzy_matching=True)
    _write(path, catalogue)


def faults(catalogue: Catalog, texts: Catalog) -> Iterator[str]:
    """Say what keeps a catalogue from being complete: for each text of today that has no translation or a
    broken one, and for each that no screen has any more."""
    for text in texts:
        message = catalogue.get(text.id, text.context) if text.id else None
        if text.id and (message is None or not _is_translated(message)):
            yield f"not translated: {text.id!r}"
        elif message is not None and message.fuzzy:
            yield f"marked as fuzzy: {text.id!r}"
        elif message is not None and (lost := _lost(message)):
            yield f"{lost}: {text.id!r}"
    for message in catalogue:
        if message.id and texts.get(message.id, message.context) is None:
            yield f"on no screen any more: {message.id!r}"
    for message, errors in catalogue.check():
        yield f"{errors[0]}: {message.id!r}"


def _lost(message: Message) -> str:
    """Return what a translation does not have as its text has it, "" if it has all."""
    text = message.id if isinstance(message.id, str) else message.id[-1]
    forms = [message.string] if isinstance(message.string, str) else message.string
    for what, pattern in (("another tag", TAGS), ("another placeholder", BRACES)):
        known = set(pattern.findall(text))
        found = [set(pattern.findall(form)) for form in forms]
        # A plural form for one may leave its number out; the last form is for many.
        if found[-1] != known or any(form - known for form in found):
            return what
    ends = (text[:1].isspace(), text[-1:].isspace())
    is_same = all((form[:1].isspace(), form[-1:].isspace()) == ends for form in forms)
    return "" if is_same else "another space at an end"


def compile_catalogue(path: Path) -> Catalog:
    """Write the .mo beside `path` and return what it holds. Raise CommandError for a translation that would
    break a page, such as one that lost a placeholder."""
    catalogue = _read(path)
    for message, errors in catalogue.check():
        raise CommandError(f"{path}: {message.id!r}: {errors[0]}")
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)
    return catalogue


def _is_translated(message: Message) -> bool:
    strings = message.string if isinstance(message.string, tuple | list) else [message.string]
    return bool(message.id) and all(strings)


def _sources() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((settings.BASE_DIR / folder).rglob("*")):
            is_code = path.suffix == ".py" and b"utils.translation import" in path.read_bytes()
            if is_code or (path.suffix == ".html" and "templates" in path.parts):
                yield path


def _extract_template(
    file: IO[bytes], keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[Any, ...]]:
    """Yield the texts of a Django template, by way of the code that Django makes of it for xgettext."""
    code = templatize(file.read().decode())
    lines = "\n".join(line.strip() for line in code.splitlines())  # indented as the template, not as Python
    yield from extract_python(BytesIO(lines.encode()), keywords, comment_tags, options)


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=Locale.parse(path.parent.parent.name))


def _write(path: Path, catalogue: Catalog) -> None:
    with path.open("wb") as file:
        write_po(file, catalogue, width=110, include_lineno=False)
