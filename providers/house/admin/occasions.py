"""The rewards for a birthday and for a referral, for administrators."""

from django.contrib import admin

from providers.house.models import BirthdayRule, Referral, ReferralRule
from providers.read_only_admin import ReadOnlyAdmin


@admin.register(BirthdayRule)
class BirthdayRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["program", "campaign", "days_before", "days_after", "is_active"]
    list_select_related = ["campaign"]


@admin.register(ReferralRule)
class ReferralRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["program", "minimum", "referrer_points", "friend_points", "per_year", "is_active"]


@admin.register(Referral)
class ReferralAdmin(ReadOnlyAdmin):
    list_display = ["entered_at", "referrer", "friend", "state", "order_id", "rewarded_at", "is_above_limit"]
    list_filter = ["program", "state"]
    list_select_related = ["referrer", "friend"]
    search_fields = ["referrer__member_id", "friend__member_id", "order_id"]
