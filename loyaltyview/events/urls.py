from django.urls import path

from loyaltyview.events import views

urlpatterns = [
    path("events/<str:program>/newstore/", views.newstore_event, name="newstore_event"),
    # Without the slash Django would answer 301, which a stream takes for a failure.
    path("events/<str:program>/newstore", views.newstore_event),
    path("events/<str:program>/provider/<str:secret>/", views.provider_event, name="provider_event"),
    path("events/<str:program>/provider/<str:secret>", views.provider_event),
]
