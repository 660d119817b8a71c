from django.urls import path

from loyaltyview.newstore import views

app_name = "newstore"
urlpatterns = [
    path("identity/<slug:program>/", views.identity, name="identity"),
]
