from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save


class HouseConfig(AppConfig):
    name = "providers.house"
    label = "house"
    verbose_name = "House program"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from providers.house import kept, models

        for model in (
            models.Reward,
            models.Tier,
            models.EarnRule,
            models.Multiplier,
            models.Category,
            models.ReferralRule,
            models.Campaign,
        ):
            post_save.connect(kept.forget, sender=model, dispatch_uid=f"house_kept_{model.__name__}")
            post_delete.connect(kept.forget, sender=model, dispatch_uid=f"house_kept_{model.__name__}")
