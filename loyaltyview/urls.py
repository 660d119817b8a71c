"""All addresses (docs/architecture.md 7)."""

from django.contrib import admin
from django.urls import include, path

from loyaltyview.programs.host import ProgramsHost
from providers.admin_pages import urls_of_vendors
from providers.api_mounts import api_urls_of_vendors

urlpatterns = [
    path("", include("loyaltyview.newstore.urls")),
    path("", include("loyaltyview.webview.urls")),
    path("", include("loyaltyview.events.urls")),
    path("", include("loyaltyview.ops.urls")),
    path("", include("loyaltyview.brand.urls")),
    # A vendor's own pages for administrators, for example to connect an account.
    *[
        path(f"admin/{kind}/", include(module), {"host": ProgramsHost()})
        for kind, module in urls_of_vendors().items()
    ],
    # What a vendor's package shows without a login, for example pictures.
    *[path(f"{kind}/", include(module)) for kind, module in urls_of_vendors("public_urls").items()],
    # A vendor's own API, for systems of the retailer.
    *[
        path(f"api/{kind}/", include(module), {"host": ProgramsHost()})
        for kind, module in api_urls_of_vendors().items()
    ],
    path("admin/", admin.site.urls),
]
