from django.apps import AppConfig

from loyaltyview.work.sources import add_source


class RedemptionsConfig(AppConfig):
    name = "loyaltyview.redemptions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from loyaltyview.redemptions.recovery import run_one

        add_source("redemptions", run_one)
