"""Rewards and vouchers for administrators."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.admin_filters import FewValues
from providers.house.models import Picture, Reward, Voucher, VoucherState
from providers.house.pictures import address_of, store_picture
from providers.large_lists import LargeList
from providers.pictures import MOST_BYTES, PictureError

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


class RewardForm(forms.ModelForm):  # type: ignore[type-arg]
    """A reward, and its picture as a file. The picture is made small before it is stored."""

    picture_file = forms.FileField(
        label=gettext_lazy("Picture"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
        help_text=gettext_lazy("PNG, JPEG or WebP, at most 1 MB. It is shown small, beside the title."),
    )
    without_picture = forms.BooleanField(label=gettext_lazy("Remove the picture"), required=False)

    class Meta:
        model = Reward
        exclude = ["picture"]  # noqa: DJ006 - what admin's fieldsets name

    def clean_picture_file(self) -> Picture | None:
        file = self.cleaned_data["picture_file"]
        if file is None:
            return None
        try:
            return store_picture(file.read(MOST_BYTES + 1))
        except PictureError as error:
            raise forms.ValidationError(str(error)) from error

    def save(self, commit: bool = True) -> Any:
        if picture := self.cleaned_data.get("picture_file"):
            self.instance.picture = picture
        elif self.cleaned_data.get("without_picture"):
            self.instance.picture = None
        return super().save(commit)


@admin.register(Reward)
class RewardAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = RewardForm
    formfield_overrides = AMOUNTS
    list_display = ["title", "cost", "kind", "tier", "stock", "is_active"]
    list_filter = ["program", "is_active", "kind"]
    list_select_related = ["tier"]
    search_fields = ["title", "reward_id"]
    prepopulated_fields = {"reward_id": ["title"]}
    readonly_fields = ["shown_picture"]
    fieldsets = [
        (None, {"fields": ["program", "title", "reward_id", "is_active"]}),
        (
            gettext_lazy("What the card says"),
            {"fields": ["description", "terms", "shown_picture", "picture_file", "without_picture"]},
        ),
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

    @admin.display(description=gettext_lazy("Picture now"))
    def shown_picture(self, reward: Reward) -> str | SafeString:
        if not reward.picture_id:
            return _("None")
        return format_html('<img src="{}" alt="" width="112">', address_of(reward.picture_id))


@admin.register(Voucher)
class VoucherAdmin(LargeList):
    formfield_overrides = AMOUNTS
    list_display = ["title", "member", "kind", "state", "expires_at"]
    list_filter = [("program", FewValues), "state"]
    indexed_filters = ["program"]
    list_select_related = ["member"]
    search_fields = ["code", "voucher_id", "member__member_id"]
    search_help_text = gettext_lazy("A whole code, id of a voucher, or member number.")
    raw_id_fields = ["member"]
    readonly_fields = ["state"]

    def has_delete_permission(self, request: HttpRequest, obj: Voucher | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.state == VoucherState.OPEN)
