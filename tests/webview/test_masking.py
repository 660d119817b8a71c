"""Names as a whole queue may see them."""

from dataclasses import replace

import pytest

from loyaltyview.webview.masking import contact, full_name, initials, masked_name

from .fakes import MIA

FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("Ada", "E\u0301mile", "Ada É."),
        ("Ada", "\U0001f1eb\U0001f1f7 Paris", "Ada \U0001f1eb\U0001f1f7."),
        (
            "Ada",
            "\U0001f469\u200d\U0001f469\u200d\U0001f467 Ngo",
            "Ada \U0001f469\u200d\U0001f469\u200d\U0001f467.",
        ),
        ("Ada", "\U0001f44d\U0001f3fd", "Ada \U0001f44d\U0001f3fd."),
        ("Ada", "क्षमा", "Ada क्."),
        ("\u202eAda", "\u202eLovelace", "Ada L."),
        ("\u2067\u200f", "Stone\u0000", "S."),
        ("Mia\ud800", "", "Mia"),
    ],
)
def test_an_initial_is_a_whole_letter_and_a_name_does_not_change_the_text_direction(
    first: str, last: str, expected: str
) -> None:
    assert masked_name(replace(MIA, first_name=first, last_name=last)) == expected


def test_full_names_and_contacts_have_no_direction_marks_either() -> None:
    odd = replace(
        MIA, first_name="\u202eMia", last_name="Stone\u2069", email="\u202ee\u0301mile@example.test"
    )
    assert full_name(odd) == "Mia Stone"
    assert contact(odd) == "é•••@example.test"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("Mia Stone", "", "Mia S."),
        ("田中太郎", "", "田••"),
        ("김민수", "", "김••"),
        ("花子", "", "花子"),
        ("花子", "田中", "花子 田."),
        ("Anna Lena", "Berg", "Anna Lena B."),
        ("mia@example.test", "", ""),
        ("Mia", "+1 617 555 0100", "Mia"),
        ("617 555 0100", "Stone", "S."),
    ],
)
def test_a_whole_name_or_a_contact_in_the_place_of_a_name_is_not_shown(
    first: str, last: str, expected: str
) -> None:
    assert masked_name(replace(MIA, first_name=first, last_name=last)) == expected


def test_a_whole_name_in_the_place_of_the_first_has_two_initials() -> None:
    assert initials(replace(MIA, first_name="Mia Stone", last_name="")) == "M. S."
