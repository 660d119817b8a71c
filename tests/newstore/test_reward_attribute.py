"""Which words of an order's extended attributes may be codes of rewards."""

from typing import Any

import pytest

from loyaltyview.newstore.reward_attribute import reward_texts

NAME = "loyalty_reward"


def listed(value: object, name: str = NAME) -> dict[str, Any]:
    return {"extended_attributes": [{"name": name, "value": value}]}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("LOY-7QK2", ("LOY-7QK2",)),
        (" LOY-7QK2 ; LOY-NEW1,LOY-7QK2", ("LOY-7QK2", "LOY-NEW1")),
        ('["LOY-7QK2", "LOY-NEW1"]', ("LOY-7QK2", "LOY-NEW1")),
        ("LOY-7QK2. LOY-NEW.1.", ("LOY-7QK2", "LOY-NEW.1")),
        ("", ()),
        (None, ()),
        (7, ()),
        ("X" * 101, ()),
    ],
)
def test_a_value_is_one_code_or_any_list_of_codes(value: object, words: tuple[str, ...]) -> None:
    assert reward_texts([listed(value)], NAME) == words


def test_a_sentence_before_the_code_does_not_hide_it() -> None:
    sentence = " ".join(f"word{number}" for number in range(40))
    assert "LOY-7QK2" in reward_texts([listed(f"{sentence} LOY-7QK2")], NAME)


@pytest.mark.parametrize(
    "holder",
    [
        {},
        {"extended_attributes": None},
        {"extended_attributes": "LOY"},
        {"extended_attributes": ["LOY", None]},
    ],
)
def test_attributes_of_another_shape_are_ignored(holder: dict[str, Any]) -> None:
    assert reward_texts([holder], NAME) == ()


def test_order_and_items_are_read_and_other_attributes_are_not() -> None:
    as_map = {"extended_attributes": {NAME: {"data_type": "string", "value": "LOY-MAP1"}}}
    holders = [listed("LOY-7QK2"), listed("GIFT", name="wrap"), as_map]
    assert reward_texts(holders, NAME) == ("LOY-7QK2", "LOY-MAP1")
    assert reward_texts(holders, "") == ()
