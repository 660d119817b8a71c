"""What redemptions ask about orders (`redemptions.order_lookup`), and which products were in them."""

from datetime import datetime

from django.db.models import Q

from loyaltyview.events.envelope import ORDER_FOUND, EventName
from loyaltyview.events.errors import PayloadError
from loyaltyview.events.models import OF_ORDERS, Event, EventSource, EventState, Order
from loyaltyview.events.readers import read_codes
from loyaltyview.events.stored_events import replay
from loyaltyview.programs.models import Program
from providers.texts import code_key

WITH_CODES = (EventName.ORDER_CREATED.value, EventName.ORDER_OPENED.value)
NEWEST = 2_000  # orders in which an administrator's page looks for products
OF_SALE = (*WITH_CODES, EventName.ORDER_COMPLETED.value, ORDER_FOUND)


def has_unread(program: Program, codes: tuple[str, ...], before: datetime) -> bool:
    """Whether an event that was received before that time and is not handled may carry one of `codes`: no
    worker has tried it, or it names a code and the attempt failed, possibly before the code was used."""
    waiting = Event.objects.filter(
        program=program,
        source=EventSource.NEWSTORE,
        state=EventState.WAITING,
        name__in=WITH_CODES,
        received_at__lt=before,
    )
    if waiting.filter(Q(attempts=0) | Q(lease_until__isnull=False)).exists():
        return True
    wanted = {code_key(code) for code in codes}
    payloads = waiting.values_list("payload", flat=True).iterator()
    attribute = program.newstore_reward_attribute
    return any(_names_one(bytes(payload), attribute, wanted) for payload in payloads)


def _names_one(payload: bytes, reward_attribute: str, wanted: set[str]) -> bool:
    try:
        read = read_codes(payload, reward_attribute)
    except PayloadError:
        return False  # it names no order, so it uses no code
    return not wanted.isdisjoint(code_key(code) for code in (*read.codes, *read.reward_texts))


def read_again(program: Program, order_id: str) -> bool:
    """Have the order's events handled again, which confirms its redemptions to the vendor."""
    events = Event.objects.filter(program=program, source__in=OF_ORDERS, subject=order_id)
    return replay(events.filter(name__in=OF_SALE)) > 0


def sold_products(program: str) -> set[str]:
    """Return the product ids in the newest orders of the program with this slug."""
    newest = Order.objects.filter(program__slug=program).order_by("-pk").values_list("lines", flat=True)
    return {str(line.get("product_id") or "") for lines in newest[:NEWEST] for line in lines}
