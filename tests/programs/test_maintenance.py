"""The regular work of vendors: done for each active program; a failing vendor does not stop the others."""

import pytest

from loyaltyview.programs.maintenance import maintain_providers
from loyaltyview.programs.models import Program
from providers.errors import SettingsError, Unavailable
from providers.house.provider import HouseProvider


@pytest.mark.parametrize("error", [Unavailable("down"), SettingsError("rate", "too old"), KeyError("rate")])
def test_each_active_program_is_maintained_when_one_fails(
    program: Program, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    for slug, is_active in (("a-broken", True), ("off", False), ("zeta", True)):
        Program.objects.create(slug=slug, name=slug, currency="USD", country="US", is_active=is_active)
    seen = []

    def maintain(self: HouseProvider) -> None:
        seen.append(self.config.program)
        if self.config.program == "a-broken":
            raise error

    monkeypatch.setattr(HouseProvider, "maintain", maintain)
    maintain_providers()
    assert seen == ["a-broken", "acme", "zeta"]
