from django.apps import AppConfig

from loyaltyview.work.registry import add_source


class NewstoreConfig(AppConfig):
    name = "loyaltyview.newstore"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.conf import settings

        from loyaltyview.newstore import coupon_list, erasure, profile_links
        from loyaltyview.newstore.connection import check_newstore
        from loyaltyview.programs.connections import add_check
        from loyaltyview.programs.erasure import add_eraser
        from loyaltyview.work.retention import add_retention

        add_source("profile links", profile_links.run_one)
        add_source("used codes", coupon_list.run_one)
        add_retention("used codes", settings.RETENTION_LAUNCH_DAYS, coupon_list.purge_used_codes)
        add_eraser("newstore", erase=erasure.erase)
        add_check(check_newstore)
