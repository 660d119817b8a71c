"""What the engine's own reactors say of the cart is what the sale earns."""

from hypothesis import HealthCheck, given, settings

from loyaltyview.programs.models import Program
from providers.whitelabel.provider import WhiteLabelProvider
from tests.events.sales import Sale, sales


@given(sale=sales("USD"))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_earns_what_the_page_promised(
    program: Program, provider: WhiteLabelProvider, mia: str, sale: Sale
) -> None:
    promised, order = sale.promised(program), sale.earned(program, mia)
    assert bool(promised) == bool(order.earn_base.amount)
    if promised:
        assert provider.preview_earn(mia, promised) == provider.record_order(order).points
