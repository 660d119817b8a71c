"""The preview shows the points that the checkout of the same cart earns."""

from hypothesis import HealthCheck, given, settings

from loyaltyview.programs.models import Program
from providers.antavo.provider import AntavoProvider
from tests.events.sales import Sale, sales
from tests.providers.antavo.conftest import MIA


@given(sale=sales("USD"))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_earns_what_the_page_promised(
    program: Program, provider: AntavoProvider, sale: Sale
) -> None:
    promised, order = sale.promised(program), sale.earned(program, MIA)
    assert bool(promised) == bool(order.earn_base.amount)
    if promised:
        assert provider.preview_earn(MIA, promised) == provider.record_order(order).points
