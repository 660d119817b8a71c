from django.apps import AppConfig


class PongoConfig(AppConfig):
    name = "providers.pongo"
    label = "pongo"
    verbose_name = "Pongo"
    default_auto_field = "django.db.models.BigAutoField"
