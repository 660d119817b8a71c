from django.urls import path

from providers.pongo import connecting, views

app_name = "pongo"
urlpatterns = [
    # Pongo whitelists one address for all programs; which one it is about stands in `state`.
    path("callback/", connecting.callback, name="callback"),
    path("program/<slug:program>/", views.home, name="home"),
    path("program/<slug:program>/connect/", connecting.start, name="connect"),
    path("program/<slug:program>/disconnect/", connecting.disconnect, name="disconnect"),
    path("program/<slug:program>/stores/", views.map_stores, name="stores"),
    path("program/<slug:program>/products/", views.products, name="products"),
    path("program/<slug:program>/webhooks/", views.change_webhooks, name="webhooks"),
    path("program/<slug:program>/rewards/<int:spending>/", views.settle, name="settle"),
]
