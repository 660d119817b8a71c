"""Tiers and the rule of earning for administrators."""

from django.contrib import admin

from providers.house.models import EarnRule, Tier


@admin.register(Tier)
class TierAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "program", "threshold", "multiplier"]
    list_filter = ["program"]


@admin.register(EarnRule)
class EarnRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["program", "points_per_unit", "expiry_months"]
