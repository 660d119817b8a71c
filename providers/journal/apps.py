from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JournalConfig(AppConfig):
    name = "providers.journal"
    label = "journal"
    verbose_name = _("Writes to the loyalty programs")
    default_auto_field = "django.db.models.BigAutoField"
