"""The rewards for a birthday and for a referral, for administrators."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from providers.admin_filters import FewValues
from providers.house.models import BirthdayRule, Referral, ReferralRule
from providers.large_lists import LargeList
from providers.read_only_admin import ReadOnlyAdmin


@admin.register(BirthdayRule)
class BirthdayRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["program", "campaign", "days_before", "days_after", "is_active"]
    list_select_related = ["campaign"]


@admin.register(ReferralRule)
class ReferralRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["program", "minimum", "referrer_points", "friend_points", "per_year", "is_active"]


@admin.register(Referral)
class ReferralAdmin(LargeList, ReadOnlyAdmin):
    list_display = ["entered_at", "referrer", "friend", "state", "order_id", "rewarded_at", "is_above_limit"]
    time_field = "entered_at"
    indexed_filters = ["program"]
    list_filter = [("program", FewValues), "state"]
    list_select_related = ["referrer", "friend"]
    search_fields = ["referrer__member_id", "friend__member_id", "order_id"]
    search_help_text = _("The whole number of a member, or the whole id of the order.")
