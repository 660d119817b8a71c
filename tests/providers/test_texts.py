"""Text from outside: how it is kept, compared and shown."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.outbound.lenient_json import read_json
from providers.texts import (
    code_key,
    code_spellings,
    compact,
    found_by_spelling,
    id_key,
    look_alike_key,
    look_alike_spelling,
    named_by,
    other_spellings,
    pasted,
    plain,
    plain_of,
    scanned_as,
    shown,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mia@example.test\u00a0", "mia@example.test"),
        ("SHIRT\u00a001", "SHIRT 01"),
        ("\u202a+1 617 555 0100\u202c", "+1 617 555 0100"),
        ("a\u200bb\tc\u0000d\ud800", "ab cd"),
        ("  two\r\n lines ", "two lines"),
        ("\u2068\u2069", ""),
    ],
)
def test_plain_text_has_no_invisible_characters(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_a_shown_name_keeps_joined_letters() -> None:
    assert shown("\u202e\u0645\u06cc\u200c\u062e") == "\u0645\u06cc\u200c\u062e"


def test_pasted_text_keeps_control_characters_so_that_it_can_be_refused() -> None:
    assert pasted("\u2068L-\x0042\u2069 ") == "L-\x0042"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3409, "3409"),
        (Decimal("3409.0"), "3409"),
        (Decimal("1e400"), ""),
        (True, ""),
        (None, ""),
        (["a"], ""),
        ("a" * 101, ""),
    ],
)
def test_a_number_counts_as_text_and_other_or_long_values_as_empty(value: object, expected: str) -> None:
    assert plain_of(value, 100) == expected


@pytest.mark.parametrize("spelled", ["loy-7qk2", "LOY-7QK2 ", "\u2068Loy-7qk2\u2069", "LOY- 7QK2"])
def test_a_code_is_the_same_in_every_spelling(spelled: str) -> None:
    assert code_key(spelled) == "LOY-7QK2"


@pytest.mark.parametrize(
    ("code", "codes"),
    [
        ("123456789012", ("123456789012", "0123456789012")),
        ("0123456789012", ("0123456789012", "123456789012")),
        ("123456789013", ("123456789013",)),
        ("4006381333931", ("4006381333931",)),
        ("L-0123456789012", ("L-0123456789012",)),
    ],
)
def test_a_bar_code_is_looked_up_with_and_without_its_leading_zero(code: str, codes: tuple[str, ...]) -> None:
    assert scanned_as(code) == codes


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"name": "a\tb\nc"}', {"name": "a\tb\nc"}),
        (
            b'{"name": "a\\u0000\\ud83d", "rows": [{"id": "x\\u0007"}]}',
            {"name": "a", "rows": [{"id": "x"}]},
        ),
        (b'{"name": "caf\xe9"}', {"name": "caf\ufffd"}),
        (b'{"name": "\\ud83d\\ude00"}', {"name": "\U0001f600"}),
    ],
)
def test_an_unusual_character_leaves_the_rest_of_an_answer_usable(body: bytes, expected: object) -> None:
    assert read_json(body) == expected


@pytest.mark.parametrize(
    ("typed", "others"),
    [
        ("acme-000101", ("ACME-000101", "ACME000101")),
        ("ACME 000101", ("ACME000101", "acme000101")),
        ("Ab-1", ("AB-1", "ab-1", "AB1")),
        ("4006381333931", ()),
        ("4006 3813", ("40063813",)),
        ("\u2068\u2069", ()),
    ],
)
def test_other_spellings_are_few_and_digits_have_none(typed: str, others: tuple[str, ...]) -> None:
    assert other_spellings(typed) == others


@given(st.text())
def test_every_text_becomes_one_that_a_database_stores_and_a_page_shows(text: str) -> None:
    for cleaned in (plain(text), shown(text)):
        assert "\0" not in cleaned
        assert cleaned.encode().decode() == cleaned
        assert plain(cleaned) == plain(text)


@pytest.mark.parametrize(
    "typed",
    [
        "acme-000101",
        "ACME 000101",
        "ACME\u2013000101",
        "ACME\u2212000101",
        "\uff21\uff23\uff2d\uff25\uff0d\uff10\uff10\uff10\uff11\uff10\uff11",
        "\u0410\u0421\u041c\u0415-000101",
        "\u0391CM\u0395-000101",
        "ACME-\u0660\u0660\u0660\u0661\u0660\u0661",
        "\u2018ACME000101\u2019",
    ],
)
def test_every_spelling_of_a_number_has_one_key(typed: str) -> None:
    assert id_key(typed) == "acme000101"


def test_a_text_of_another_script_stays_itself() -> None:
    assert compact("\u0410\u041a\u0426\u0418\u042f-10") == "\u0410\u041a\u0426\u0418\u042f-10"
    assert id_key("\u0130ST-1") == id_key("ist 1") == id_key("\u0131ST1")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ACME-OO42", "ACME-0042"),
        ("acme-ooo1o1", "ACME-000101"),
        ("PR0M0-7Q2M", "PROMO-7Q2M"),
        ("G1FT-I0", "GIFT-10"),
        ("4006381333931", ""),
        ("OIOI", ""),
        ("A10B7-X", ""),
        ("", ""),
    ],
)
def test_letters_and_digits_are_read_as_their_part_asks(typed: str, meant: str) -> None:
    assert look_alike_spelling(typed) == meant
    assert not meant or look_alike_key(typed) == look_alike_key(meant)


@pytest.mark.parametrize(
    ("typed", "known", "meant"),
    [
        ("AB-1", ["AB1", "AB-1"], "AB-1"),
        ("ab 1", ["AB-1"], "AB-1"),
        ("ab 1", ["AB1", "AB-1"], None),
        ("AB-O", ["AB-0"], "AB-0"),
        ("AB-O", ["AB-0", "ABO"], "ABO"),
        ("ABOI", ["AB0I", "ABO1"], None),
        ("-", ["--"], None),
        ("", [""], None),
        ("AB-1", ["ab-1", "ab-1"], "ab-1"),
    ],
)
def test_a_near_match_counts_only_where_one_can_be_meant(
    typed: str, known: list[str], meant: str | None
) -> None:
    assert named_by(typed, known, str) == meant


def found_among(typed: str, stored: list[str], *, is_typed: bool = True) -> tuple[tuple[str, ...], list[str]]:
    """Return what a vendor that compares letter by letter finds, and under which texts it was asked."""
    asked: list[str] = []

    def find(text: str) -> list[str]:
        asked.append(text)
        return [each for each in stored if each == text]

    return found_by_spelling(typed, find, str, is_typed=is_typed), asked


def test_a_vendor_that_compares_letter_by_letter_is_asked_a_few_times_more() -> None:
    assert found_among("ACME-0042", ["ACME-0042"]) == (("ACME-0042",), ["ACME-0042"])
    assert found_among("acme-oo42", ["ACME-0042"])[0] == ("ACME-0042",)
    assert found_among("acme-oo42", ["ACME-0042", "ACME-OO42"])[0] == ("ACME-OO42",)
    assert found_among("4006381333931", [])[1] == ["4006381333931"]
    assert found_among("acme-oo42", ["ACME-0042"], is_typed=False)[0] == ()
    _, asked = found_among("Acme-oO42", [])
    assert len(asked) == len(set(asked)) == 5


def test_a_members_own_code_is_asked_for_before_others() -> None:
    assert list(code_spellings("promo 1", lambda: ["Promo-1"]))[:2] == ["promo 1", "Promo-1"]
    assert list(code_spellings("pr0mo-7", lambda: ["PrOmo-7"]))[-2:] == ["PrOmo-7", "PROMO-7"]
    assert list(code_spellings("promo 1", lambda: ["Promo-1", "PROMO1"])) == ["promo 1"]


@given(st.text(max_size=20))
def test_every_text_has_a_key_without_blanks_and_dashes(text: str) -> None:
    assert not set(id_key(text)) & set(" -'\u2013\u2019\0")
    assert id_key(f" {text} ") == id_key(plain(text)) == id_key(text)
