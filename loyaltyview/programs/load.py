"""Applies a program file to the database, all or nothing, and reports what changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from loyaltyview.brand.files import store
from loyaltyview.programs.models import Program, Store
from loyaltyview.programs.program_file import ProgramFile, StoreFile
from loyaltyview.programs.program_keys import KEYS, dotted
from loyaltyview.programs.provider_settings import secret_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One key whose value changed. `text` names the key; for a secret it leaves the values out."""

    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What a load did. `kept_stores` are in the database but not in the file."""

    is_new: bool
    changes: tuple[Change, ...]
    kept_stores: tuple[str, ...]


def load_program(file: ProgramFile) -> LoadReport:
    """Create or update the program of `file` and its stores. Repeating it changes nothing.

    Raises CredentialsUnreadable when a stored secret cannot be compared; nothing is written then.
    """
    with transaction.atomic():
        for made in file.files:
            store(made)
        program = Program.objects.select_for_update().filter(slug=file.slug).first()
        is_new = program is None
        program = program or Program(slug=file.slug)
        changes = [*_set_fields(program, file), *_set_provider_settings(program, file)]
        if is_new:
            program.save()
        elif changes:
            program.save(update_fields=[*(key.field for key in KEYS), "provider_settings"])
        stores = {each.store_id: each for each in program.stores.all()}
        for store_file in file.stores:
            changes += _set_store(program, stores.pop(store_file.store_id, None), store_file)
    return LoadReport(is_new=is_new, changes=tuple(changes), kept_stores=tuple(sorted(stores)))


def _set_fields(program: Program, file: ProgramFile) -> Iterator[Change]:
    for key in KEYS:
        old, new = getattr(program, key.field), getattr(file, key.field)
        if new is None or old == new:
            continue
        setattr(program, key.field, new)
        yield _change(dotted(key.path), old, new, is_hidden=dotted(key.path) in file.hidden or key.is_secret)


def _set_provider_settings(program: Program, file: ProgramFile) -> Iterator[Change]:
    old: Mapping[str, Any] = program.provider_settings
    new = file.provider_settings
    program.provider_settings = dict(new)
    secrets = secret_names(file.provider_kind)
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            key = dotted(("provider", file.provider_kind, name))
            # A setting of the former vendor is hidden too: its name alone does not tell what it was.
            is_hidden = name in secrets or name not in new or key in file.hidden
            yield _change(key, old.get(name), new.get(name), is_hidden=is_hidden)


def _set_store(program: Program, store: Store | None, file: StoreFile) -> Iterator[Change]:
    key = ("stores", file.store_id)
    if store is None:
        program.stores.create(
            store_id=file.store_id,
            name=file.name,
            provider_store=file.provider_store,
            time_zone=file.time_zone,
        )
        yield Change(key=dotted(key), text="added")
        return
    names = ("name", "provider_store", "time_zone")
    changed = [name for name in names if getattr(store, name) != getattr(file, name)]
    for name in changed:
        yield _change(dotted((*key, name)), getattr(store, name), getattr(file, name), is_hidden=False)
        setattr(store, name, getattr(file, name))
    if changed:
        store.save(update_fields=changed)


def _change(key: str, old: Any, new: Any, *, is_hidden: bool) -> Change:
    return Change(key=key, text="changed" if is_hidden else f"{_shown(old)} -> {_shown(new)}")


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    return "nothing" if value in ("", None) else str(value)
