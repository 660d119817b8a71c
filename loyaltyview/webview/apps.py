from django.apps import AppConfig


class WebviewConfig(AppConfig):
    name = "loyaltyview.webview"
    default_auto_field = "django.db.models.BigAutoField"
