from django.apps import AppConfig

from loyaltyview.work.registry import every

DAY_S = 86_400


class WorkConfig(AppConfig):
    name = "loyaltyview.work"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from loyaltyview.ops.health import add_check, add_worker_check
        from loyaltyview.ops.overview import add_part
        from loyaltyview.work.health import check_clock, check_worker, check_writes
        from loyaltyview.work.models import Heartbeat
        from loyaltyview.work.overview import worker_part
        from loyaltyview.work.retention import run_all

        add_check("writes", check_writes)
        add_check("clock", check_clock)
        add_worker_check("worker", check_worker)
        add_part(Heartbeat, 6, worker_part)
        every("retention", DAY_S, run_all)
