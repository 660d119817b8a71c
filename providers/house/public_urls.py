"""Pages of the house program that need no launch: the pictures of rewards."""

from django.urls import path

from providers.house.picture_view import picture

urlpatterns = [path("pictures/<slug:digest>.webp", picture, name="house-picture")]
