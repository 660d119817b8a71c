"""`manage.py yotpo_upload_codes`: batches, progress, and where to go on after a failure."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from loyaltyview.programs.models import Program
from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.yotpo.provider import YotpoProvider
from tests.providers.yotpo.build import FIVE_OFF, TEN_OFF


@pytest.fixture
def acme(program: Program, provider: YotpoProvider) -> Program:
    """The program acme, with Yotpo."""
    program.provider_kind = "yotpo"
    program.provider_settings = dict(provider.config.settings)
    program.save()
    return program


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def upload(*arguments: object, terminal: bool = False, **options: object) -> tuple[str, str]:
    out, err = StringIO(), Terminal() if terminal else StringIO()
    call_command("yotpo_upload_codes", "acme", *map(str, arguments), stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "codes.csv"
    path.write_text("".join(f'"NEW-{number:03}",some,other cells\n' for number in range(25)) + "\nNEW-001\n")
    return path


def test_codes_of_a_file_go_in_batches_with_their_progress(acme: Program, yotpo: Yotpo, file: Path) -> None:
    out, err = upload(TEN_OFF, file, batch=10)

    assert err.splitlines() == [
        "[############..................] 10 of 25",
        "[########################......] 20 of 25",
        "[##############################] 25 of 25",
    ]
    assert "25 codes" in out
    codes = yotpo.books.options[int(TEN_OFF)].codes
    assert len(codes) == 40 + 25
    assert {"NEW-000", "NEW-024"} <= set(codes)


def test_a_terminal_sees_one_bar_that_grows(acme: Program, file: Path) -> None:
    _out, err = upload(TEN_OFF, file, batch=10, terminal=True)

    assert err.count("\n") == 1
    assert err.count("\r") == 3


def test_the_same_codes_again_do_no_harm(acme: Program, yotpo: Yotpo, file: Path) -> None:
    upload(TEN_OFF, file)
    upload(TEN_OFF, file)

    assert len(yotpo.books.options[int(TEN_OFF)].codes) == 65


def test_codes_can_be_made(acme: Program, yotpo: Yotpo) -> None:
    upload(TEN_OFF, generate=12, prefix="POS-")

    made = [code for code in yotpo.books.options[int(TEN_OFF)].codes if code.startswith("POS-")]
    assert len(set(made)) == 12


def test_a_failure_says_how_to_go_on(acme: Program, yotpo: Yotpo, file: Path) -> None:
    yotpo.faults.withholds_answers = True

    with pytest.raises(CommandError, match=r"took 0 of 25 codes, then OutcomeUnknown.*--skip 0"):
        upload(TEN_OFF, file, batch=10)
    yotpo.faults.withholds_answers = False
    out, _err = upload(TEN_OFF, file, batch=10, skip=10)

    assert "25 codes" in out
    assert len(yotpo.books.options[int(TEN_OFF)].codes) == 65


def test_an_option_that_takes_no_codes_is_refused(acme: Program, file: Path) -> None:
    with pytest.raises(CommandError, match="Rejected"):
        upload(FIVE_OFF, file)


@pytest.mark.parametrize(
    ("content", "problem"), [("", "holds no code"), ("A CODE\n", "line 1"), ("x" * 101, "line 1")]
)
def test_a_file_that_cannot_be_used_is_refused_before_anything_is_sent(
    acme: Program, yotpo: Yotpo, tmp_path: Path, content: str, problem: str
) -> None:
    path = tmp_path / "codes.txt"
    path.write_text(content)

    with pytest.raises(CommandError, match=problem):
        upload(TEN_OFF, path)
    assert len(yotpo.books.options[int(TEN_OFF)].codes) == 40


def test_wrong_arguments_are_named(acme: Program, file: Path, tmp_path: Path) -> None:
    for arguments, options in [
        ((TEN_OFF,), {}),
        ((TEN_OFF, file), {"generate": 5}),
        ((TEN_OFF, file), {"batch": 10_001}),
        ((TEN_OFF, file), {"skip": 26}),
        ((TEN_OFF, tmp_path / "absent"), {}),
    ]:
        with pytest.raises(CommandError):
            upload(*arguments, **options)


def test_a_program_without_yotpo_is_refused(program: Program, file: Path) -> None:
    with pytest.raises(CommandError, match="no program acme with Yotpo"):
        upload(TEN_OFF, file)
