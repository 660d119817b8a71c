from django.apps import AppConfig


class HouseConfig(AppConfig):
    name = "providers.house"
    label = "house"
    verbose_name = "House program"
    default_auto_field = "django.db.models.BigAutoField"
