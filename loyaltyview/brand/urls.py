"""The files of brands, which need no launch."""

from django.urls import re_path

from loyaltyview.brand.views import brand_file

urlpatterns = [
    re_path(
        r"^brand/(?P<name>[0-9a-f]{32}(?:-\d{1,3}x\d{1,3}\.webp|\.woff2))$", brand_file, name="brand-file"
    )
]
