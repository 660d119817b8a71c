from django.apps import AppConfig


class WhiteLabelConfig(AppConfig):
    name = "providers.whitelabel"
    label = "whitelabel"
    verbose_name = "White Label Loyalty"
    default_auto_field = "django.db.models.BigAutoField"
