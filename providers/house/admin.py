"""The house program for administrators: members and their ledger, rewards, tiers, vouchers, rules.

Balances change in one way only, an adjustment with a note; the ledger itself is read-only.
"""

import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.house.ledger import adjust
from providers.house.members import new_member_id
from providers.house.models import EarnRule, Entry, Hold, Member, Reward, Tier, Voucher, VoucherState

LEAST_DECIMALS = 2


class ReadOnlyMixin:
    """Rows that administrators view and cannot edit."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class EntryInline(ReadOnlyMixin, admin.TabularInline):  # type: ignore[type-arg]
    model = Entry
    extra = 0
    fields = ["at", "kind", "points", "shortfall", "order_id", "note", "expires_at"]


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    """The profile, and an adjustment of the balance. `adjust_key` is made when the form is shown, so that
    sending the form twice adjusts once."""

    adjust_points = forms.IntegerField(
        label=gettext_lazy("Adjust points by"),
        required=False,
        min_value=-1_000_000,
        max_value=1_000_000,
        help_text=gettext_lazy("Such as 50 or -50. Does not change the tier."),
    )
    adjust_note = forms.CharField(
        label=gettext_lazy("Why"),
        required=False,
        max_length=200,
        help_text=gettext_lazy(
            "Do not name the member: the ledger is never changed, not even for an erasure."
        ),
    )
    adjust_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    class Meta:
        model = Member
        fields = ["program", "first_name", "last_name", "email", "phone", "consent_email", "consent_sms"]

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        return email.lower()

    def clean(self) -> dict[str, Any]:
        super().clean()
        points, note = self.cleaned_data.get("adjust_points"), self.cleaned_data.get("adjust_note")
        if points and not note:
            self.add_error("adjust_note", _("Say why the points are adjusted."))
        if points and self.instance.spendable + points < 0:
            text = _("The member has only %(points)d points to take.") % {"points": self.instance.spendable}
            self.add_error("adjust_points", text)
        return self.cleaned_data


@admin.register(Member)
class MemberAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = MemberForm
    list_display = ["member_id", "first_name", "last_name", "spendable", "reserved", "lifetime_points"]
    list_filter = ["program"]
    search_fields = ["member_id", "email", "phone", "first_name", "last_name"]
    readonly_fields = ["member_id", "joined_at", "spendable", "reserved", "lifetime_points"]
    fieldsets = [
        (None, {"fields": ["program", "member_id", "first_name", "last_name", "email", "phone"]}),
        (gettext_lazy("Consents"), {"fields": ["consent_email", "consent_sms"]}),
        (gettext_lazy("Points"), {"fields": ["spendable", "reserved", "lifetime_points", "joined_at"]}),
        (gettext_lazy("Adjustment"), {"fields": ["adjust_points", "adjust_note", "adjust_key"]}),
    ]
    inlines = [EntryInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Member | None = None) -> list[str]:
        # A member cannot move to another program: the ledger belongs to the first one.
        return ["program", *self.readonly_fields] if obj else [*self.readonly_fields]

    def has_delete_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Member, form: Any, change: bool) -> None:
        if not change:
            obj.member_id = new_member_id(obj.program)
            obj.save()
        elif form.changed_data:
            # Only the form's own fields: the balance may move while the page is open.
            obj.save(update_fields=[name for name in form.changed_data if not name.startswith("adjust_")])
        if points := form.cleaned_data.get("adjust_points"):
            reference = f"adjust:{form.cleaned_data['adjust_key']}"
            adjust(
                obj.program,
                obj.member_id,
                points,
                reference=reference,
                note=form.cleaned_data["adjust_note"],
            )


@admin.register(Entry)
class EntryAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["at", "member", "kind", "points", "shortfall", "order_id", "note"]
    list_filter = ["program", "kind"]
    list_select_related = ["member"]
    search_fields = ["member__member_id", "order_id", "reference"]
    date_hierarchy = "at"


@admin.register(Hold)
class HoldAdmin(ReadOnlyMixin, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["created_at", "member", "title", "points", "state", "order_id"]
    list_filter = ["program", "state"]
    list_select_related = ["member"]
    search_fields = ["member__member_id", "key", "order_id", "item_id"]


class AmountField(forms.DecimalField):
    """Shows 10.00 and 0.125 without further zeros: the column has room for three decimals."""

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, Decimal) or not value.is_finite():
            return value
        text = format(value, "f").rstrip("0")
        places = len(text.partition(".")[2])
        return text if places >= LEAST_DECIMALS else format(value, f".{LEAST_DECIMALS}f")


AMOUNTS: Any = {models.DecimalField: {"form_class": AmountField}}


@admin.register(Reward)
class RewardAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    formfield_overrides = AMOUNTS
    list_display = ["title", "cost", "kind", "tier", "stock", "is_active"]
    list_filter = ["program", "is_active", "kind"]
    list_select_related = ["tier"]
    search_fields = ["title", "reward_id"]
    prepopulated_fields = {"reward_id": ["title"]}
    fieldsets = [
        (None, {"fields": ["program", "title", "reward_id", "description", "is_active"]}),
        (gettext_lazy("Discount"), {"fields": ["kind", "amount", "percent", "skus", "minimum"]}),
        (gettext_lazy("Price"), {"fields": ["cost"]}),
        (
            gettext_lazy("Price of points as money"),
            {"fields": ["points_min", "points_max", "points_step", "value_per_point"]},
        ),
        (
            gettext_lazy("Who and when"),
            {"fields": ["tier", "limit_per_member", "stock", "starts_at", "ends_at"]},
        ),
    ]


@admin.register(Voucher)
class VoucherAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    formfield_overrides = AMOUNTS
    list_display = ["title", "member", "kind", "state", "expires_at"]
    list_filter = ["program", "state"]
    list_select_related = ["member"]
    search_fields = ["title", "code", "voucher_id", "member__member_id"]
    raw_id_fields = ["member"]
    readonly_fields = ["state"]

    def has_delete_permission(self, request: HttpRequest, obj: Voucher | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.state == VoucherState.OPEN)


@admin.register(Tier)
class TierAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "program", "threshold", "multiplier"]
    list_filter = ["program"]


@admin.register(EarnRule)
class EarnRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["program", "points_per_unit", "expiry_months"]
