from django.apps import AppConfig

from loyaltyview.work.registry import add_source, every


class RedemptionsConfig(AppConfig):
    name = "loyaltyview.redemptions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from loyaltyview.ops.overview import add_part
        from loyaltyview.programs.erasure import add_eraser
        from loyaltyview.programs.troubles import name_reasons
        from loyaltyview.redemptions import erasure, merging
        from loyaltyview.redemptions.code_deactivation import EVERY_S, queue_used_codes
        from loyaltyview.redemptions.models import Redemption
        from loyaltyview.redemptions.overview import redemptions_part
        from loyaltyview.redemptions.recovery import run_one
        from loyaltyview.redemptions.refusals import label_of
        from providers import merged

        name_reasons(label_of)
        add_source("redemptions", run_one)
        every("used codes", EVERY_S, queue_used_codes)
        add_part(Redemption, 1, redemptions_part)
        merged.listen(merging.follow)
        add_eraser("redemptions", erase=erasure.erase, find=erasure.find, blockers=erasure.blockers)
