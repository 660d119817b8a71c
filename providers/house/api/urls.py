"""Included under /api/house/ (`providers.api_mounts`). Below `/v1/` the calls themselves are found by the
first call (`entry`)."""

from django.urls import path

from providers.house.api import entry

urlpatterns = [
    path("v1/openapi.json", entry.document, name="house_api_document"),
    path("<str:program>/v1/<path:rest>", entry.call, name="house_api_call"),
]
