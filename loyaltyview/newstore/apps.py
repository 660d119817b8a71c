from django.apps import AppConfig


class NewstoreConfig(AppConfig):
    name = "loyaltyview.newstore"
    default_auto_field = "django.db.models.BigAutoField"
