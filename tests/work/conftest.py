"""Only the work that a test adds."""

import pytest

from loyaltyview.work import periodics, sources, worker


@pytest.fixture(autouse=True)
def _own_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sources, worker):
        monkeypatch.setattr(module, "sources", [])
    monkeypatch.setattr(worker, "sources", sources.sources)
    for module in (sources, periodics):
        monkeypatch.setattr(module, "periodics", {})
    monkeypatch.setattr(periodics, "periodics", sources.periodics)
