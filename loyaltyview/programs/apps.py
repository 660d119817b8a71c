from django.apps import AppConfig


class ProgramsConfig(AppConfig):
    name = "loyaltyview.programs"
    default_auto_field = "django.db.models.BigAutoField"
