from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "loyaltyview.ops"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        import loyaltyview.checks  # noqa: F401 - registers them
        from loyaltyview.ops.database import bound_sqlite

        connection_created.connect(bound_sqlite)
