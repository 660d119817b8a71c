from django.urls import path

from loyaltyview.ops import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("readyz/worker", views.readyz_worker, name="readyz-worker"),
    path("metrics", views.metrics, name="metrics"),
]
