"""Calls to a silent NewStore pause, so that threads do not wait for it again and again."""

import pytest
import requests
import responses
import time_machine

from loyaltyview.newstore.errors import NewStoreRejected, NewStoreUnavailable
from loyaltyview.newstore.http import send
from providers.outbound.exchange import Call

URL = "https://acme-staging.newstore.test/v0/thing"
PATIENT_S = 3.0


def ask(program: str = "acme", url: str = URL, timeout_s: float = PATIENT_S) -> None:
    send(program, url, Call("GET", ""), timeout_s=timeout_s)


def silent(mock: responses.RequestsMock) -> None:
    mock.get(URL, body=requests.ConnectionError("gone"))


def call_silent_newstore(times: int) -> None:
    for _ in range(times):
        with pytest.raises(NewStoreUnavailable):
            ask()


@responses.activate
def test_after_five_silent_calls_no_call_is_made_and_the_caller_gets_a_time() -> None:
    responses.get(URL, body=requests.ConnectionError("gone"))
    call_silent_newstore(5)

    with pytest.raises(NewStoreUnavailable) as refused:
        ask()

    assert len(responses.calls) == 5
    assert refused.value.retry_after_s == 15


@responses.activate
def test_silence_does_not_stop_calls_of_other_programs_and_hosts() -> None:
    responses.get(URL, body=requests.ConnectionError("gone"))
    responses.get("https://id.newstore.test/keys", json={})
    call_silent_newstore(5)

    ask(url="https://id.newstore.test/keys")
    with pytest.raises(NewStoreUnavailable):
        ask("second")

    assert len(responses.calls) == 7


def test_after_the_pause_one_call_probes_and_an_answer_ends_the_pause() -> None:
    with time_machine.travel("2026-03-04T15:00:00Z", tick=False) as clock:
        with responses.RequestsMock() as mock:
            silent(mock)
            call_silent_newstore(6)
        clock.shift(16)
        with responses.RequestsMock() as mock:
            mock.get(URL, json={})
            ask()
            ask()


@pytest.mark.parametrize(
    ("status", "is_left_alone"), [(503, True), (504, True), (500, False), (429, False), (404, False)]
)
@responses.activate
def test_only_silence_counts(status: int, is_left_alone: bool) -> None:
    responses.get(URL, status=status, json={})
    for _ in range(6):
        with pytest.raises((NewStoreUnavailable, NewStoreRejected)):
            ask()

    assert len(responses.calls) == (5 if is_left_alone else 6)
