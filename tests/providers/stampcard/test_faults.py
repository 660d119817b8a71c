"""The shared contract tests fail for each planted fault, by the test that is meant for it."""

import inspect

import pytest

from providers.errors import ProviderError
from tests.providers.lost_answers import LostAnswersContract
from tests.providers.stampcard.faults import FAULTS, Fault
from tests.providers.stampcard.provider import StampcardProvider
from tests.providers.stampcard.test_contract import StampcardFixtures


class TestFaults(StampcardFixtures):
    @pytest.fixture
    def adapter(self, fault: Fault) -> type[StampcardProvider]:
        return fault.adapter

    @pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.adapter.__name__)
    def test_the_shared_tests_catch(self, fault: Fault, db: None, request: pytest.FixtureRequest) -> None:
        test = getattr(LostAnswersContract, fault.caught_by)
        names = [name for name in inspect.signature(test).parameters if name not in ("self", *fault.given)]
        values = {name: request.getfixturevalue(name) for name in names}
        with pytest.raises((AssertionError, pytest.fail.Exception, ProviderError)) as caught:
            test(self, **values, **fault.given)
        assert fault.says in str(caught.value)
