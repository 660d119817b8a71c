"""The rewards for a birthday and for a referral, for administrators."""

from django.contrib import admin

from providers.house.models import BirthdayRule


@admin.register(BirthdayRule)
class BirthdayRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["program", "campaign", "days_before", "days_after", "is_active"]
    list_select_related = ["campaign"]
