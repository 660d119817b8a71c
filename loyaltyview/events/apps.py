from django.apps import AppConfig
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _

from loyaltyview.work.sources import add_source


class EventsConfig(AppConfig):
    name = "loyaltyview.events"
    verbose_name = _("Events")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from loyaltyview.events.receivers import forget_receivers
        from loyaltyview.programs.models import Program

        post_save.connect(forget_receivers, sender=Program)
        from loyaltyview.events.health import check_backlog
        from loyaltyview.events.processing import run_one
        from loyaltyview.ops.health import add_check

        add_source("events", run_one)
        add_check("events", check_backlog)
