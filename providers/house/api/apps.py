from django.apps import AppConfig


class HouseApiConfig(AppConfig):
    name = "providers.house.api"
    label = "house_api"
    verbose_name = "House program: web shops"
    default_auto_field = "django.db.models.BigAutoField"
