from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save

from loyaltyview.work.registry import every

MINUTE_S = 60


class ProgramsConfig(AppConfig):
    name = "loyaltyview.programs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.conf import settings

        from loyaltyview.ops.health import add_check
        from loyaltyview.ops.metrics import add_metrics
        from loyaltyview.ops.overview import add_part
        from loyaltyview.programs.health import check_credentials
        from loyaltyview.programs.latency import latency_part, remember
        from loyaltyview.programs.maintenance import maintain_providers
        from loyaltyview.programs.metrics import observe, open_writes
        from loyaltyview.programs.models import Program, Store
        from loyaltyview.programs.program_cache import forget
        from loyaltyview.programs.retention import purge_bookkeeping, purge_brand_files
        from loyaltyview.programs.troubles import purge_troubles, troubles_part
        from loyaltyview.work import clock
        from loyaltyview.work.retention import add_retention
        from providers import clock as vendors_clock
        from providers.outbound.vendor_session import add_observer

        for model in (Program, Store):
            post_save.connect(forget, sender=model)
            post_delete.connect(forget, sender=model)
        vendors_clock.use(lambda: clock.now())
        add_observer(observe)
        add_metrics(open_writes)
        add_observer(remember)
        add_check("credentials", check_credentials)
        add_part(Program, 2, troubles_part)
        add_part(Program, 3, latency_part)
        every("providers", MINUTE_S, maintain_providers)
        add_retention("troubles", settings.RETENTION_LAUNCH_DAYS, purge_troubles)
        add_retention("vendors' bookkeeping", settings.RETENTION_VENDOR_DAYS, purge_bookkeeping)
        add_retention("unused brand files", 1, purge_brand_files)
