"""Rewards and vouchers for administrators."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from providers.house.models import Reward, Voucher, VoucherState

LEAST_DECIMALS = 2


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
