from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from loyaltyview.work.registry import add_batches, every


class EventsConfig(AppConfig):
    name = "loyaltyview.events"
    verbose_name = _("Events")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.conf import settings

        from loyaltyview.events import erasure, member_records, merging, order_lookup
        from loyaltyview.events.event_search import SEARCH_EVERY_S, search_missed
        from loyaltyview.events.models import Alarm, Event, ReturnRecord
        from loyaltyview.events.overview import alarms_part, events_part, returns_part
        from loyaltyview.events.processing import run_batch
        from loyaltyview.events.provider_alarms import PROVIDERS_EVERY_S, watch_providers
        from loyaltyview.events.reconcile import RECONCILE_EVERY_S, reconcile_yesterday
        from loyaltyview.events.stored_events import check_backlog, purge_events
        from loyaltyview.events.stream import WATCH_EVERY_S, watch
        from loyaltyview.ops.health import add_worker_check
        from loyaltyview.ops.overview import add_part
        from loyaltyview.programs.erasure import add_eraser
        from loyaltyview.programs.host import add_product_reader
        from loyaltyview.redemptions.member_records import add_sales_reader
        from loyaltyview.redemptions.order_lookup import OrderLookup, add_order_lookup
        from loyaltyview.work.retention import add_retention
        from providers import merged

        add_batches("events", run_batch)
        add_order_lookup(OrderLookup(has_unread=order_lookup.has_unread, read_again=order_lookup.read_again))
        add_sales_reader(member_records.read_records)
        add_product_reader("orders", order_lookup.sold_products)
        add_worker_check("events", check_backlog)
        add_retention("events", settings.RETENTION_EVENT_DAYS, purge_events)
        merged.listen(merging.follow)
        add_eraser("events", erase=erasure.erase, find=erasure.find, blockers=erasure.blockers)
        add_part(Event, 4, events_part)
        add_part(ReturnRecord, 5, returns_part)
        add_part(Alarm, 2, alarms_part)
        every("provider alarms", PROVIDERS_EVERY_S, watch_providers)
        every("event stream watch", WATCH_EVERY_S, watch)
        every("search for missed events", SEARCH_EVERY_S, search_missed)
        every("reconciliation", RECONCILE_EVERY_S, reconcile_yesterday)
