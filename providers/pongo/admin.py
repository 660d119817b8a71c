"""Pongo's rows for administrators: read-only. The actions are on the program's page."""

from django.contrib import admin

from providers.pongo.models import Account, Subscription
from providers.read_only_admin import ReadOnlyAdmin


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ["program", "state", "merchant_name", "connected_at", "expires_at"]
    list_filter = ["state"]


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ["program", "event", "webhook_id"]
