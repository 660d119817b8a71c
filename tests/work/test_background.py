"""Repeated work in the background goes on after errors and ends with its block."""

import threading

import pytest

from loyaltyview.work.background import repeating


def test_it_goes_on_after_an_error_and_ends_with_the_block(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[str] = []
    again = threading.Event()

    def run() -> None:
        runs.append(threading.current_thread().name)
        if len(runs) == 1:
            raise RuntimeError("a bug")
        again.set()

    with repeating("beside", 0.001, run):
        assert again.wait(20)
    assert set(runs) == {"beside"}
    assert "beside" not in [thread.name for thread in threading.enumerate()]
    assert "background_failed" in caplog.text
