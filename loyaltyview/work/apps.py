from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "loyaltyview.work"
    default_auto_field = "django.db.models.BigAutoField"
