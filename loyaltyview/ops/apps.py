from django.apps import AppConfig

from loyaltyview.work.sources import every

DAY_S = 86_400


class OpsConfig(AppConfig):
    name = "loyaltyview.ops"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from loyaltyview.ops.retention import run_all

        every("retention", DAY_S, run_all)
