from django.apps import AppConfig


class AntavoConfig(AppConfig):
    name = "providers.antavo"
    label = "antavo"
    verbose_name = "Antavo"
    default_auto_field = "django.db.models.BigAutoField"
