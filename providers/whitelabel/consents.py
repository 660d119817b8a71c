"""Consents to e-mails and messages: two consent types of the tenant.
Source: docs/contracts/whitelabel.md 2.1.

Not asked is not no: without a row nothing is known.
"""

from providers.answers import at
from providers.errors import RejectReason
from providers.outbound.exchange import segment
from providers.types import Consent, Consents
from providers.whitelabel.client import Client, Json, rejecting


def read(client: Client, ref: str) -> Consents:
    """Return what the member answered."""
    rows = _rows(client, ref)
    return Consents(
        email=_answer(rows, client.settings.consent_email_type),
        sms=_answer(rows, client.settings.consent_sms_type),
    )


def definition(client: Client, wanted: Consents) -> list[Json]:
    """Return the consents of a new member, as their registration carries them."""
    return [
        {"type": {"id": kind}, "checked": answer is Consent.YES}
        for kind, answer in _wanted(client, wanted)
        if answer is not Consent.NOT_ASKED
    ]


def change(client: Client, ref: str, wanted: Consents) -> None:
    """Write down what an existing member answered now; what was not asked stays. May be repeated."""
    asked = [(kind, answer) for kind, answer in _wanted(client, wanted) if answer is not Consent.NOT_ASKED]
    rows = _rows(client, ref) if asked else []
    for kind, answer in asked:
        if _answer(rows, kind) is answer:
            continue
        with rejecting(RejectReason.INVALID_INPUT):
            if answer is Consent.YES:
                body = {"type": {"id": kind}, "user": {"id": ref}}
                client.send("/consents", body, operation="give_consent")
            for row in rows if answer is Consent.NO else ():
                if at(row, "type.id") == kind and isinstance(row.get("id"), str):
                    client.remove(f"/consents/{segment(row['id'])}", operation="revoke_consent")


def _wanted(client: Client, wanted: Consents) -> list[tuple[str, Consent]]:
    return [
        (client.settings.consent_email_type, wanted.email),
        (client.settings.consent_sms_type, wanted.sms),
    ]


def _rows(client: Client, ref: str) -> list[Json]:
    rows = client.rows("/consents", operation="list_consents", filters={"filter_consent_user": ref})
    return [row for row in rows if at(row, "user.id") == ref]


def _answer(rows: list[Json], kind: str) -> Consent:
    answers = [row.get("checked") for row in rows if at(row, "type.id") == kind]
    if not answers:
        return Consent.NOT_ASKED
    # Newest first. A row without the box is a consent given by command.
    return Consent.NO if answers[0] is False else Consent.YES
