from django.apps import AppConfig

from loyaltyview.work.sources import every

MINUTE_S = 60


class ProgramsConfig(AppConfig):
    name = "loyaltyview.programs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.conf import settings

        import loyaltyview.checks  # noqa: F401 - registers them
        from loyaltyview.ops.retention import add_retention
        from loyaltyview.programs.maintenance import maintain_providers
        from loyaltyview.programs.metrics import observe
        from loyaltyview.programs.retention import purge_bookkeeping
        from providers.http import add_observer

        add_observer(observe)
        every("providers", MINUTE_S, maintain_providers)
        add_retention("vendors' bookkeeping", settings.RETENTION_VENDOR_DAYS, purge_bookkeeping)
