"""Consents to e-mails and messages: two consent types of the tenant.
Source: docs/contracts/whitelabel.md 2.1.

Not asked is not no: without a row nothing is known.
"""

from providers.answers import at
from providers.errors import Rejected, RejectReason
from providers.outbound.exchange import segment
from providers.types import Consent, Consents
from providers.whitelabel.engine import Engine, Json, Refused


def read(engine: Engine, ref: str) -> Consents:
    """Return what the member said."""
    rows = _rows(engine, ref)
    return Consents(
        email=_answer(rows, engine.settings.consent_email_type),
        sms=_answer(rows, engine.settings.consent_sms_type),
    )


def definition(engine: Engine, wanted: Consents) -> list[Json]:
    """Return the consents of a new member, as her registration carries them."""
    return [
        {"type": {"id": kind}, "checked": said is Consent.YES}
        for kind, said in _wanted(engine, wanted)
        if said is not Consent.NOT_ASKED
    ]


def change(engine: Engine, ref: str, wanted: Consents) -> None:
    """Write down what an existing member said now; what she was not asked stays. May be repeated."""
    asked = [(kind, said) for kind, said in _wanted(engine, wanted) if said is not Consent.NOT_ASKED]
    rows = _rows(engine, ref) if asked else []
    for kind, said in asked:
        if _answer(rows, kind) is said:
            continue
        try:
            if said is Consent.YES:
                engine.send(
                    "/consents", {"type": {"id": kind}, "user": {"id": ref}}, operation="give_consent"
                )
            for row in rows if said is Consent.NO else ():
                if at(row, "type.id") == kind and isinstance(row.get("id"), str):
                    engine.remove(f"/consents/{segment(row['id'])}", operation="revoke_consent")
        except Refused as refused:
            raise Rejected(RejectReason.INVALID_INPUT, str(refused), text=refused.message) from refused


def _wanted(engine: Engine, wanted: Consents) -> list[tuple[str, Consent]]:
    return [
        (engine.settings.consent_email_type, wanted.email),
        (engine.settings.consent_sms_type, wanted.sms),
    ]


def _rows(engine: Engine, ref: str) -> list[Json]:
    rows = engine.rows("/consents", operation="list_consents", filters={"filter_consent_user": ref})
    return [row for row in rows if at(row, "user.id") == ref]


def _answer(rows: list[Json], kind: str) -> Consent:
    said = [row.get("checked") for row in rows if at(row, "type.id") == kind]
    if not said:
        return Consent.NOT_ASKED
    # Newest first. A row without the box is a consent given by command.
    return Consent.NO if said[0] is False else Consent.YES
