"""The table of refusals is whole: every reason that can be given has a row, and every row can be read."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from loyaltyview.newstore.errors import (
    NewStoreAuthFailed,
    NewStoreError,
    NewStoreRejected,
    NewStoreUnavailable,
    NewStoreUnexpected,
)
from loyaltyview.ops import overload
from loyaltyview.programs.troubles import NEEDS
from loyaltyview.redemptions.commands import WORKER, RedeemRequest
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.offers import CartReason
from loyaltyview.redemptions.refusals import (
    Refusal,
    label_of,
    lock_refusal,
    mint_refusal,
    refusal_of,
    vendor_refusal,
)
from loyaltyview.redemptions.saga import redeem
from loyaltyview.redemptions.transitions import refuse
from providers import errors
from providers.errors import ProviderError, Rejected, RejectReason
from providers.types import LockReason

from .conftest import Mint
from .memory_provider import Ledger

ACTION = re.compile(
    r"(Add|Apply|Ask|Check|Choose|Clear|Finish|Go back|Log out|Look|Open|Press|Redeem|Save|Search|Tell|To use"
    r"|Try|Type|Wait|You can)\b"
)


def test_every_row_is_whole() -> None:
    for row in Refusal:
        assert row.name == row.value
        assert 400 <= row.status < 600, row
        assert isinstance(row.may_have_spent, bool), row
        assert str(row.label)[0].isupper(), row
        assert not str(row.label).endswith("."), row


def test_every_sentence_says_what_happened_and_what_to_do() -> None:
    for row in Refusal:
        first, *others = re.split(r"(?<=[.]) ", str(row.sentence))
        assert not ACTION.match(first), row
        assert any(ACTION.match(each) for each in others), row
        assert all(each.endswith(".") and len(each.split()) <= 25 for each in (first, *others)), row


def test_codes_fit_the_columns_that_keep_them() -> None:
    assert max(map(len, Refusal)) <= Redemption._meta.get_field("refusal").max_length


def raised_in(folder: Path) -> set[str]:
    """Return the texts in `folder` that look like a code of a launch or of an identity."""
    trees = [ast.parse(path.read_text()) for path in folder.rglob("*.py")]
    texts = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    wanted = re.compile(r"[A-Z]+_(MISSING|MALFORMED)|IDENTITY_[A-Z_]+")
    # BODY_MALFORMED is an answer to NewStore's callback, which no associate sees.
    return {text for text in texts if isinstance(text, str) and wanted.fullmatch(text)} - {"BODY_MALFORMED"}


def test_what_newstores_app_can_send_wrong_is_in_the_table() -> None:
    codes = raised_in(settings.BASE_DIR / "loyaltyview" / "newstore")
    assert len(codes) >= 10
    assert codes <= set(Refusal.__members__)


def test_what_the_web_server_refuses_is_in_the_table() -> None:
    assert {overload.BUSY, overload.LINE_TOO_LONG} <= set(Refusal.__members__)


def test_what_an_administrator_must_look_at_is_in_the_table() -> None:
    assert {code for _kind, code in NEEDS} <= set(Refusal.__members__)


def test_every_reason_of_a_vendor_has_its_row() -> None:
    rows = [vendor_refusal(Rejected(reason)) for reason in RejectReason]
    assert [row.value for row in rows] == [reason.value for reason in RejectReason]


def test_every_reason_of_a_lock_has_a_row_of_its_own() -> None:
    reasons = [*LockReason, *CartReason]
    assert len({lock_refusal(reason.value) for reason in reasons}) == len(reasons)


def test_only_errors_that_name_no_outcome_leave_it_open_whether_points_were_spent() -> None:
    every = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    kinds = [kind for kind in every if issubclass(kind, ProviderError) and kind is not Rejected]
    unclear = {kind.__name__ for kind in kinds if vendor_refusal(kind("x")).may_have_spent}
    assert unclear == {"ProviderError", "OutcomeUnknown", "UnexpectedAnswer"}
    assert not any(vendor_refusal(Rejected(reason)).may_have_spent for reason in RejectReason)


@pytest.mark.parametrize(
    "error",
    [
        NewStoreUnavailable("x"),
        NewStoreAuthFailed("x"),
        NewStoreRejected("x"),
        NewStoreRejected("x", status=410),
        NewStoreUnexpected("x"),
        NewStoreError("x"),
    ],
)
def test_without_a_code_nothing_was_spent(error: NewStoreError) -> None:
    assert not mint_refusal(error).may_have_spent


def test_a_redemption_cannot_be_refused_for_what_may_have_spent_points() -> None:
    with pytest.raises(ValueError, match="PROVIDER_UNEXPECTED"):
        refuse(Redemption(), Refusal.PROVIDER_UNEXPECTED, State.UNCERTAIN, WORKER)


def test_a_code_of_another_version_is_shown_as_it_is() -> None:
    assert label_of("A_NEW_REASON") == "A_NEW_REASON"
    assert refusal_of("A_NEW_REASON") is Refusal.UNEXPECTED


def test_administrators_read_the_label_of_a_refusal_and_of_a_trouble(
    admin_client: Client, tap: Callable[..., RedeemRequest], vendor: Ledger, newstore: Mint
) -> None:
    newstore.error = NewStoreUnavailable("down")
    row = redeem(tap())
    page = admin_client.get(reverse("admin:redemptions_redemption_change", args=[row.pk])).content.decode()
    assert page.count("NewStore did not answer") == 2, "at the top and in the trail"
    troubles = admin_client.get(reverse("admin:programs_trouble_changelist")).content.decode()
    assert "NewStore did not answer" in troubles
