from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "loyaltyview.work"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import loyaltyview.work.checks  # noqa: F401 - registers it
