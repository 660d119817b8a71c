from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "loyaltyview.work"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import loyaltyview.work.checks  # noqa: F401 - registers it
        from loyaltyview.ops.health import add_check
        from loyaltyview.ops.overview import add_part
        from loyaltyview.work.models import Heartbeat
        from loyaltyview.work.overview import check_clock, worker_part

        add_check("clock", check_clock)
        add_part(Heartbeat, 6, worker_part)
