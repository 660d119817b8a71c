"""All addresses (docs/architecture.md 7)."""

from django.contrib import admin
from django.urls import include, path

from loyaltyview.programs.host import ProgramsHost
from providers.admin_pages import kinds_with_pages

urlpatterns = [
    path("", include("loyaltyview.newstore.urls")),
    path("", include("loyaltyview.webview.urls")),
    path("", include("loyaltyview.events.urls")),
    path("", include("loyaltyview.ops.urls")),
    # Pages of a vendor's own for administrators: connecting an account, for example.
    *[
        path(f"admin/{kind}/", include(f"providers.{kind}.urls"), {"host": ProgramsHost()})
        for kind in kinds_with_pages()
    ],
    path("admin/", admin.site.urls),
]
