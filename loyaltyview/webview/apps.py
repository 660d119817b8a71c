from django.apps import AppConfig


class WebviewConfig(AppConfig):
    name = "loyaltyview.webview"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.conf import settings

        from loyaltyview.programs.erasure import add_eraser
        from loyaltyview.programs.host import add_product_reader
        from loyaltyview.webview import erasure, merging
        from loyaltyview.webview.carts import products_in_carts
        from loyaltyview.webview.erasure import purge_launches, purge_pin_attempts
        from loyaltyview.work.retention import add_retention
        from providers import merged

        add_retention("launches", settings.RETENTION_LAUNCH_DAYS, purge_launches)
        add_retention("attempts to type a PIN", settings.RETENTION_LAUNCH_DAYS, purge_pin_attempts)
        merged.listen(merging.follow)
        add_eraser("webview", erase=erasure.erase, find=erasure.find, blockers=erasure.blockers)
        add_product_reader("carts", products_in_carts)
