"""Admin's menu: only the vendors that a program uses.

Each vendor's package has tables of its own. A shop with one vendor would scroll past those of four others.
Their pages stay reachable by address, for rows of a vendor that a program has left.
"""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest

from providers.registry import PROVIDERS, package_of


class LoyaltyAdminConfig(AdminConfig):
    default_site = "loyaltyview.programs.admin_site.LoyaltyAdminSite"


class LoyaltyAdminSite(admin.AdminSite):
    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the apps of the menu, without those of vendors that no program uses. With `app_label`, one
        app's own page is asked for."""
        app_list = super().get_app_list(request, app_label)
        if app_label or not app_list:
            return app_list
        known = vars(request)  # the front page asks twice
        if "unused_vendors" not in known:
            known["unused_vendors"] = _unused_labels()
        unused = known["unused_vendors"]
        return [app for app in app_list if app["app_label"] not in unused]


def _unused_labels() -> set[str]:
    from loyaltyview.programs.models import Program  # models cannot be imported before the apps are ready

    used = set(Program.objects.order_by().values_list("provider_kind", flat=True).distinct())
    packages = [package_of(kind) for kind in PROVIDERS if kind not in used]
    return {
        config.label
        for config in apps.get_app_configs()
        if any(config.name == package or config.name.startswith(f"{package}.") for package in packages)
    }
