from django.apps import AppConfig

from loyaltyview.work.sources import every

DAY_S = 86_400


class OpsConfig(AppConfig):
    name = "loyaltyview.ops"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from loyaltyview.ops.retention import run_all
        from loyaltyview.ops.time_limits import bound_sqlite

        connection_created.connect(bound_sqlite)
        every("retention", DAY_S, run_all)
