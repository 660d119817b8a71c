"""Text from outside: how it is kept, compared and shown."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.outbound.lenient_json import read_json
from providers.texts import code_key, other_spellings, pasted, plain, plain_of, scanned_as, shown


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
