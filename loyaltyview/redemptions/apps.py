from django.apps import AppConfig


class RedemptionsConfig(AppConfig):
    name = "loyaltyview.redemptions"
    default_auto_field = "django.db.models.BigAutoField"
