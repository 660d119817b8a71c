"""Batches of codes: made, imported, exported, and given to members."""

import csv
import io
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from providers.house import codes as house_codes
from providers.house import mail_outs
from providers.house.campaigns import Zone
from providers.house.codes import check_pattern, new_code, read_codes, store_batches, write_codes
from providers.house.mail_outs import give_codes, read_members
from providers.house.models import (
    BatchState,
    CampaignCode,
    CodeBatch,
    MailOut,
    MailOutState,
    Member,
    Tier,
    Voucher,
)
from providers.house.provider import HouseProvider
from tests.providers.house import REF, build_batch, build_campaign, build_member, use_code

LEO = "ACME-000102"


def test_codes_are_made_by_the_pattern_in_chunks(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house_codes, "CHUNK", 4)
    batch = CodeBatch.objects.create(campaign=build_campaign(), wanted=10, pattern="SUMMER-{code}")
    store_batches("acme", 60)
    batch.refresh_from_db()
    assert (batch.state, batch.made) == (BatchState.READY, 10)
    made = list(CampaignCode.objects.values_list("code", flat=True))
    assert len(set(made)) == 10
    assert all(re.fullmatch(r"SUMMER-[ACDEFGHJKMNPQRTWXY34679]{10}", code) for code in made)


def test_storing_stops_when_its_time_is_over_and_goes_on_later(db: None) -> None:
    CodeBatch.objects.create(campaign=build_campaign(), wanted=3, pattern="{code}")
    store_batches("acme", 0)
    assert not CampaignCode.objects.exists()
    store_batches("acme", 60)
    assert CampaignCode.objects.count() == 3


@pytest.mark.parametrize(
    "pattern", ["SUMMER", "summer-{code}", "=1+{code}", "{code}{code}", "A" * 45 + "{code}"]
)
def test_a_pattern_that_makes_no_codes_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError):
        check_pattern(pattern)


def test_a_pattern_has_its_place_anywhere() -> None:
    for pattern in ("{code}", "SUMMER-{code}", "{code}-26", "A.{code}_B"):
        check_pattern(pattern)
        assert new_code(pattern) != new_code(pattern)


def test_an_import_lists_each_line_that_it_refuses(house: HouseProvider, member: Member) -> None:
    build_campaign("OLD-1")
    Voucher.objects.create(program="acme", member=member, title="x", code="HAND", kind="fixed", amount=1)
    lines = [
        "Code;Note",
        "NEW-1;x",
        "new 1",
        "new1",
        "",
        "old1",
        "hand",
        "A" * 51,
        "=1+1",
        "4111111111111111",
    ]
    codes, refused = read_codes("acme", "\ufeff{}".format("\r\n".join(lines)).encode())
    assert [(line.number, line.text[:8], line.why.split(",")[0][:30]) for line in refused] == [
        (3, "new 1", "Only letters"),
        (4, "new1", "The same code as in line 2."),
        (6, "old1", "This code exists already."),
        (7, "hand", "This code exists already."),
        (8, "AAAAAAAA", "More than 50 characters."),
        (9, "=1+1", "Only letters"),
        (10, "41111111", "It looks like the number of a "),
    ]
    assert codes[0] == "NEW-1"


def test_a_file_in_another_encoding_is_refused(db: None) -> None:
    with pytest.raises(ValidationError):
        read_codes("acme", "Käse".encode("latin-1"))


def test_of_an_import_that_clashes_no_code_is_kept(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house_codes, "CHUNK", 2)
    campaign = build_campaign("TAKEN")
    batch = build_batch(campaign, "A", "B", "C", "taken", "D")
    batch.refresh_from_db()
    assert (batch.state, batch.made, bool(batch.why_failed)) == (BatchState.FAILED, 0, True)
    assert CampaignCode.objects.count() == 1


def test_an_export_says_who_has_each_code_and_runs_no_formula(house: HouseProvider) -> None:
    build_member("=CMD-1")
    campaign = build_campaign("SUMMER-1", "SUMMER-2")
    MailOut.objects.create(campaign=campaign)
    give_codes("acme", Zone(), 60)
    rows = CampaignCode.objects.select_related("campaign", "voucher", "member").order_by("pk")
    header, first, second = csv.reader(io.StringIO("".join(write_codes(rows))))
    assert header == ["code", "campaign", "batch", "state", "member", "given_at", "expires_at"]
    assert first[:5] == ["SUMMER-1", "summer", first[2], "open", "'=CMD-1"]
    assert second[3:] == ["free", "", "", ""]


# --- Mail-outs -------------------------------------------------------------------------------------


def test_a_mail_out_gives_each_member_of_a_tier_one_code(
    house: HouseProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_outs, "CHUNK", 2)
    for number in range(5):
        build_member(f"ACME-{number}", points=600, tier_points=600)
    build_member(LEO)
    mail_out = MailOut.objects.create(
        campaign=build_campaign("A", "B", "C", "D", "E", "F"), tier=Tier.objects.get(name="Silver")
    )
    for _ in range(2):
        give_codes("acme", Zone(), 60)
    mail_out.refresh_from_db()
    assert (mail_out.state, mail_out.given) == (MailOutState.DONE, 5)
    assert len(house.list_vouchers("ACME-3")) == 1
    assert house.list_vouchers(LEO) == ()
    assert CampaignCode.objects.filter(member=None).count() == 1


def test_a_mail_out_passes_over_members_who_have_as_many_as_allowed(house: HouseProvider) -> None:
    build_member(REF)
    campaign = build_campaign("A", "B", "C")
    for _ in range(2):
        mail_out = MailOut.objects.create(campaign=campaign)
        give_codes("acme", Zone(), 60)
    mail_out.refresh_from_db()
    assert (mail_out.state, mail_out.given, mail_out.passed_over) == (MailOutState.DONE, 0, 1)
    assert len(house.list_vouchers(REF)) == 1


def test_a_mail_out_without_enough_codes_goes_on_when_there_are_more(house: HouseProvider) -> None:
    for number in range(3):
        build_member(f"ACME-{number}")
    campaign = build_campaign("A", "B")
    mail_out = MailOut.objects.create(campaign=campaign)
    give_codes("acme", Zone(), 60)
    mail_out.refresh_from_db()
    assert (mail_out.state, mail_out.given) == (MailOutState.NO_CODES, 2)
    build_batch(campaign, "C")
    give_codes("acme", Zone(), 60)
    mail_out.refresh_from_db()
    assert (mail_out.state, mail_out.given, mail_out.passed_over) == (MailOutState.DONE, 3, 0)


def test_a_list_names_members_by_number_or_e_mail(house: HouseProvider, member: Member) -> None:
    leo = build_member(LEO)
    lines = ["Member", "acme 000001", leo.email.upper(), "ACME-000001", "nobody@example.test"]
    pks, refused = read_members("acme", "\n".join(lines).encode())
    assert pks == [member.pk, leo.pk]
    assert [(line.number, line.why) for line in refused] == [
        (4, "The same member as in line 2."),
        (5, "No member has this number or e-mail."),
    ]
    campaign = build_campaign("A", "B", "C")
    build_member("ACME-000103")
    MailOut.objects.create(campaign=campaign, is_for_list=True, members=pks)
    give_codes("acme", Zone(), 60)
    assert {code.member_id for code in CampaignCode.objects.exclude(member=None)} == set(pks)
    assert MailOut.objects.get().members == []


def test_an_undo_leaves_a_code_of_a_mail_out_with_its_member(house: HouseProvider, member: Member) -> None:
    MailOut.objects.create(campaign=build_campaign("A"))
    give_codes("acme", Zone(), 60)
    house.release(use_code(house, "key-1", "A"))
    (voucher,) = house.list_vouchers(REF)
    assert voucher.code == "A"


def run(tmp_path: Path, text: str, *options: str) -> str:
    file, out = tmp_path / "codes.csv", StringIO()
    file.write_text(text)
    call_command("house_codes", "acme", "summer", file, *options, stdout=out, stderr=out)
    return out.getvalue()


def test_a_large_file_is_imported_by_a_command(db: None, tmp_path: Path) -> None:
    build_campaign("OLD-1")
    assert "All 2 codes are good" in run(tmp_path, "code\nA-1\nA-2\n", "--check")
    assert CampaignCode.objects.count() == 1
    assert run(tmp_path, "code\nA-1\nA-2\n") == "2 codes stored\n"
    with pytest.raises(CommandError, match="Refused lines: 1"):
        run(tmp_path, "A-3\na1\n")
    assert CampaignCode.objects.count() == 3
