"""The trail of consents: a line for each answer, written before the program is called, and its result.

A consent may have to be proved years later, so the lines outlive their launches. An erasure replaces the
member by a pseudonym.
"""

from collections.abc import Callable, Iterable

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
    lines = write_lines(launch, wanted, way=way, ref=ref, before=before)
    try:
        member = send()
    except ProviderError as error:
        for line in lines:
            _close(line, _result_of(error), ref)
        raise
    close_lines(lines, member)
    return member


def write_lines(
    launch: Launch,
    wanted: Consents,
    *,
    way: ConsentWay,
    ref: str = "",
    before: Consents | None = None,
    result: ConsentResult = ConsentResult.ASKED,
) -> list[ConsentChange]:
    """Write a line for each answer, and return the lines."""
    return [
        ConsentChange.objects.create(
            program=launch.program,
            member_ref=ref,
            consent=consent,
            before=_answer(before, consent).value if before else "",
            answer=_answer(wanted, consent).value,
            way=way,
            result=result,
            actor=actor_of(launch).name,
            store_id=launch.store_id,
            device_id=launch.device_id,
        )
        for consent in ("email", "sms")
        if _is_change(before, wanted, consent)
    ]


def close_lines(lines: Iterable[ConsentChange], member: Member) -> None:
    """Write what the program made of the answers in `lines`."""
    for line in lines:
        stands = _answer(member.consents, line.consent)
        # Not every program says after an enrolment what holds now; only another answer contradicts.
        is_other = stands is not Consent.NOT_ASKED and stands.value != line.answer
        _close(line, ConsentResult.KEPT if is_other else ConsentResult.TAKEN, member.ref)


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
    undecided = ConsentChange.objects.filter(
        pk=line.pk, result__in=[ConsentResult.ASKED, ConsentResult.WAITS]
    )
    undecided.update(result=result, member_ref=ref)
