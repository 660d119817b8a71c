from django.apps import AppConfig


class BrandConfig(AppConfig):
    name = "loyaltyview.brand"
    default_auto_field = "django.db.models.BigAutoField"
