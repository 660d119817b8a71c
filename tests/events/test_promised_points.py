"""What the page promises is what the order earns."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyaltyview.programs.earn_base import EarnOn
from loyaltyview.programs.models import Program
from providers.house.models import EarnRule
from providers.types import Consents, MemberProfile

from .sales import Sale, sales

CURRENCIES = ("USD", "EUR", "JPY", "KWD")


@pytest.fixture
def ref(program: Program) -> str:
    """A member of the embedded program, where 0.7 points are earned for one of the currency."""
    EarnRule.objects.create(program=program.slug, points_per_unit="0.7")
    return program.provider().enrol(MemberProfile(email="mia@example.test"), Consents()).ref


@given(sale=sales(*CURRENCIES))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_embedded_program_promises_what_the_order_earns(program: Program, ref: str, sale: Sale) -> None:
    program.currency = sale.currency
    provider = program.provider()
    promised, order = sale.promised(program), sale.earned(program, ref)
    assert (promised.total if promised else None) == (order.earn_base if order.earn_base.amount else None)
    points = (promised and provider.preview_earn(ref, promised)) or 0
    assert points == provider.record_order(order).points


@given(sale=sales(*CURRENCIES))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_program_that_earns_on_tax_never_promises_more(program: Program, ref: str, sale: Sale) -> None:
    program.currency, program.earn_on = sale.currency, EarnOn.WITH_TAX
    promised, order = sale.promised(program), sale.earned(program, ref)
    assert (promised.total.amount if promised else 0) <= order.earn_base.amount


@given(sale=sales(*CURRENCIES), earn_on=st.sampled_from(EarnOn.values))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_return_of_everything_counts_as_much_as_the_order(
    program: Program, ref: str, sale: Sale, earn_on: str
) -> None:
    program.currency, program.earn_on = sale.currency, earn_on
    assert sale.taken_back(program) == sale.earned(program, ref).earn_base.amount


def test_nothing_is_promised_without_tax_where_the_cart_knows_no_tax(program: Program) -> None:
    program.earn_on = EarnOn.WITHOUT_TAX
    assert Sale(is_tax_included=True).promised(program) is None


def test_nothing_is_promised_where_store_orders_are_not_reported(program: Program) -> None:
    program.report_channels = ["web"]
    assert Sale().promised(program) is None


def test_nothing_is_promised_in_another_currency(program: Program) -> None:
    assert Sale(currency="EUR").promised(program) is None
