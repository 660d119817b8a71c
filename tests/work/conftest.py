"""Only the work that a test adds."""

import pytest

from loyaltyview.work import periodics, registry, worker


@pytest.fixture(autouse=True)
def _own_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (registry, worker):
        monkeypatch.setattr(module, "sources", [])
    monkeypatch.setattr(worker, "sources", registry.sources)
    for module in (registry, periodics):
        monkeypatch.setattr(module, "periodics", {})
    monkeypatch.setattr(periodics, "periodics", registry.periodics)
