from django.apps import AppConfig

NEWCOMER_DAYS = 7  # an order that is shipped is completed later than one at the till


class WebviewConfig(AppConfig):
    name = "loyaltyview.webview"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.conf import settings

        from loyaltyview.programs.erasure import add_eraser
        from loyaltyview.programs.host import add_product_reader
        from loyaltyview.programs.newcomers import add_newcomers
        from loyaltyview.webview import erasure, merging, newcomers, snapshots
        from loyaltyview.webview.carts import products_in_carts
        from loyaltyview.webview.erasure import purge_launches, purge_pin_attempts
        from loyaltyview.work.retention import add_retention
        from providers import merged

        add_retention("launches", settings.RETENTION_LAUNCH_DAYS, purge_launches)
        add_retention("attempts to type a PIN", settings.RETENTION_LAUNCH_DAYS, purge_pin_attempts)
        add_retention("snapshots of members", snapshots.KEPT_FOR.days, snapshots.purge_snapshots)
        merged.listen(merging.follow)
        add_retention(
            "customers who wait for their order",
            min(settings.RETENTION_LAUNCH_DAYS, NEWCOMER_DAYS),
            newcomers.purge_newcomers,
        )
        add_newcomers(newcomers.find)
        add_eraser("webview", erase=erasure.erase, find=erasure.find, blockers=erasure.blockers)
        add_product_reader("carts", products_in_carts)
