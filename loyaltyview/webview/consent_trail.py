"""The trail of consents: a line for each answer, written before the program is called, and its result.

A consent may have to be proved years later, so the lines outlive their launches. An erasure replaces the
member by a pseudonym.
"""

from collections.abc import Callable

from loyaltyview.webview.models import ConsentChange, ConsentResult, ConsentWay, Launch
from loyaltyview.webview.sessions import actor_of
from providers.errors import OutcomeUnknown, ProviderError, Rejected, UnexpectedAnswer, Unsupported
from providers.types import Consent, Consents, Member


def with_trail(
    launch: Launch,
    send: Callable[[], Member],
    wanted: Consents,
    *,
    way: ConsentWay,
    ref: str = "",
    before: Consents | None = None,
) -> Member:
    """Call `send`, which sends the answers in `wanted` to the program, and return what it returns. Raises
    what `send` raises. An answer that was given before is no change and gets no line."""
    lines = [
        ConsentChange.objects.create(
            program=launch.program,
            member_ref=ref,
            consent=consent,
            before=_answer(before, consent).value if before else "",
            answer=_answer(wanted, consent).value,
            way=way,
            actor=actor_of(launch).name,
            store_id=launch.store_id,
            device_id=launch.device_id,
        )
        for consent in ("email", "sms")
        if _is_change(before, wanted, consent)
    ]
    try:
        member = send()
    except ProviderError as error:
        for line in lines:
            _close(line, _result_of(error), ref)
        raise
    for line in lines:
        stands = _answer(member.consents, line.consent)
        # Not every program says after an enrolment what holds now; only another answer contradicts.
        is_other = stands is not Consent.NOT_ASKED and stands.value != line.answer
        _close(line, ConsentResult.KEPT if is_other else ConsentResult.TAKEN, member.ref)
    return member


def _answer(consents: Consents, consent: str) -> Consent:
    return consents.email if consent == "email" else consents.sms


def _is_change(before: Consents | None, wanted: Consents, consent: str) -> bool:
    answer = _answer(wanted, consent)
    return answer is not Consent.NOT_ASKED and (before is None or answer is not _answer(before, consent))


def _result_of(error: ProviderError) -> ConsentResult:
    if isinstance(error, OutcomeUnknown | UnexpectedAnswer):
        return ConsentResult.UNKNOWN
    return ConsentResult.REFUSED if isinstance(error, Rejected | Unsupported) else ConsentResult.NOT_SENT


def _close(line: ConsentChange, result: ConsentResult, ref: str) -> None:
    ConsentChange.objects.filter(pk=line.pk, result=ConsentResult.ASKED).update(result=result, member_ref=ref)
