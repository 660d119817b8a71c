"""The pages in docs/contracts name each thing that is only assumed, and the setting that overrides it."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from loyaltyview.programs.program_keys import KEYS
from providers.antavo.settings import NAMES as ANTAVO
from providers.pongo.settings import NAMES as PONGO
from providers.registry import provider_class
from providers.whitelabel.settings import NAMES as WHITELABEL
from providers.yotpo.settings import NAMES as YOTPO

PAGES = Path(__file__).resolve().parent.parent.parent / "docs" / "contracts"
NAMES = {"yotpo": YOTPO, "antavo": ANTAVO, "pongo": PONGO, "whitelabel": WHITELABEL}
ROW = re.compile(r"^\|([^|]+)\|([^|]+)\|$", re.MULTILINE)


def overrides(kind: str) -> tuple[str, ...]:
    """Return the texts in backticks from the right column of the page's table of assumptions: settings, and
    names without their setting. A text that ends with "*" stands for several names."""
    _, _, table = (PAGES / f"{kind}.md").read_text().partition(" Assumed, and where to override it\n")
    told = [name for _, right in ROW.findall(table) for name in re.findall(r"`([^`]+)`", right)]
    return tuple(re.sub(r"^names\.", "", name).strip('"') for name in told)


def fits(told: str, name: str) -> bool:
    return name.startswith(told.removesuffix("*")) if told.endswith("*") else name == told


@pytest.mark.parametrize("kind", NAMES)
def test_every_assumed_name_is_in_the_table_of_assumptions(kind: str) -> None:
    told = overrides(kind)

    assert not [name for name in NAMES[kind] if not any(fits(each, name) for each in told)]


@pytest.mark.parametrize("kind", NAMES)
def test_every_override_in_the_table_exists(kind: str) -> None:
    known = {*NAMES[kind], *(spec.name for spec in provider_class(kind).setting_specs)}

    assert not [told for told in overrides(kind) if not any(fits(told, name) for name in known)]


def test_every_override_of_newstores_table_exists() -> None:
    known = {key.path[1] for key in KEYS if key.path[0] == "newstore"}
    told = [name for name in overrides("newstore") if " " not in name]

    assert told
    assert not [name for name in told if name not in known and not hasattr(settings, name)]
