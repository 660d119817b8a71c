"""All addresses (design section 7)."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("loyaltyview.newstore.urls")),
    path("", include("loyaltyview.webview.urls")),
    path("", include("loyaltyview.events.urls")),
    path("", include("loyaltyview.ops.urls")),
    path("admin/", admin.site.urls),
]
