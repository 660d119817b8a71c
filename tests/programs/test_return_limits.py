"""What a return gives back: admin and README say what each provider can do, and they agree with it."""

import re
from pathlib import Path

import pytest
from django.test import Client

from loyaltyview.programs.models import Program, ReturnPolicy
from loyaltyview.programs.return_limits import return_limits
from providers.base import Capability
from providers.registry import PROVIDERS, provider_class

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
README = (ROOT / "README.md").read_text()
TABLE = README[README.index("| provider | points | a voucher |") :].partition("\n\n")[0]
SAID = {
    kind: (points, voucher)
    for kinds, points, voucher in ROW.findall(TABLE)
    for kind in re.findall(r"`(\w+)`", kinds)
}


def test_the_readme_names_each_provider() -> None:
    assert set(SAID) == set(PROVIDERS) - {"testvendor"}


@pytest.mark.parametrize("kind", sorted(SAID))
def test_the_readme_says_what_the_provider_can_do(kind: str) -> None:
    can = provider_class(kind).capabilities
    points, voucher = SAID[kind]
    assert points.startswith("in parts") == (Capability.PARTIAL_RELEASE in can)
    assert points.startswith("by a person") == (Capability.RELEASE_POINTS not in can)
    assert voucher.startswith("stays used") == (Capability.RELEASE_VOUCHER not in can)


@pytest.mark.parametrize(
    ("kind", "points", "voucher"),
    [
        ("house", "points go back in parts", "A voucher goes back"),
        ("yotpo", "points go back in parts", "A voucher stays used"),
        ("antavo", "with one return; a person handles parts", "A voucher goes back"),
        ("pongo", "it cannot give points back; a person does", "A voucher goes back"),
    ],
)
def test_the_limits_are_in_words(kind: str, points: str, voucher: str) -> None:
    assert points in return_limits(kind)
    assert voucher in return_limits(kind)


@pytest.mark.django_db
def test_admin_shows_the_limits_of_the_chosen_provider(admin_client: Client, program: Program) -> None:
    Program.objects.update(provider_kind="pongo")
    page = admin_client.get(f"/admin/programs/program/{program.pk}/change/").content.decode()
    assert "pongo: it cannot give points back; a person does" in page
    assert "A voucher stays used." not in page


def test_a_program_gives_back_pro_rata_unless_it_says_otherwise() -> None:
    assert Program().return_policy == ReturnPolicy.PRO_RATA


@pytest.mark.parametrize("path", sorted((ROOT / "samples").glob("acme*.toml")), ids=lambda path: path.stem)
def test_each_sample_names_the_rule(path: Path) -> None:
    line = next(line for line in path.read_text().splitlines() if line.startswith("return_policy"))
    assert line.startswith('return_policy = "pro_rata"')
