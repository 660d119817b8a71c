from django.apps import AppConfig


class YotpoConfig(AppConfig):
    name = "providers.yotpo"
    label = "yotpo"
    verbose_name = "Yotpo"
    default_auto_field = "django.db.models.BigAutoField"
