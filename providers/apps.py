from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    """The tables that all vendors share: the budgets of their accounts, and which members have changed."""

    name = "providers"
    label = "providers"
    verbose_name = "Loyalty programs"
    default_auto_field = "django.db.models.BigAutoField"
