from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "loyaltyview.ops"
    default_auto_field = "django.db.models.BigAutoField"
