"""Members, their ledger and their holds for administrators.

Balances change in one way only, an adjustment with a note; the ledger itself is read-only.
"""

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.admin_filters import FewValues
from providers.house.admin.merging import PERMISSION, merge_page, merge_two
from providers.house.ledger import adjust
from providers.house.members import new_member_id
from providers.house.models import Entry, Hold, Member, Merge
from providers.large_lists import LargeList
from providers.read_only_admin import ReadOnlyAdmin, ReadOnlyMixin

BIRTH = ["birth_month", "birth_day", "birth_year"]


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
        fields = [
            "program",
            "first_name",
            "last_name",
            "email",
            "phone",
            "consent_email",
            "consent_sms",
            *BIRTH,
        ]

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
class MemberAdmin(LargeList):
    form = MemberForm
    list_display = [
        "member_id",
        "first_name",
        "last_name",
        "spendable",
        "reserved",
        "lifetime_points",
        "merged_into",
    ]
    list_filter = [("program", FewValues), ("merged_into", admin.EmptyFieldListFilter)]
    indexed_filters = ["program"]
    rare_values = {"merged_into": ["0"]}
    list_select_related = ["merged_into"]
    search_fields = ["member_id", "email", "phone", "last_name"]
    search_beginnings = ["last_name"]
    search_help_text = gettext_lazy(
        "A whole member number, e-mail or phone number, or the beginning of a last name."
    )
    readonly_fields = ["member_id", "merged_into", "joined_at", "spendable", "reserved", "lifetime_points"]
    fieldsets = [
        (
            None,
            {"fields": ["program", "member_id", "merged_into", "first_name", "last_name", "email", "phone"]},
        ),
        (gettext_lazy("Birthday"), {"fields": [*BIRTH]}),
        (gettext_lazy("Consents"), {"fields": ["consent_email", "consent_sms"]}),
        (gettext_lazy("Points"), {"fields": ["spendable", "reserved", "lifetime_points", "joined_at"]}),
        (gettext_lazy("Adjustment"), {"fields": ["adjust_points", "adjust_note", "adjust_key"]}),
    ]
    inlines = [EntryInline]
    actions = [merge_two]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(merge_page)
        return [
            path("merge/<int:survivor_pk>/<int:other_pk>/", view, name="house_member_merge"),
            *super().get_urls(),
        ]

    def has_merge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_change_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        # Nothing is left to change on a card that was merged.
        is_merged = obj is not None and obj.merged_into_id is not None
        return not is_merged and super().has_change_permission(request, obj)

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
class EntryAdmin(LargeList, ReadOnlyAdmin):
    list_display = ["at", "member", "kind", "points", "shortfall", "order_id", "note"]
    time_field = "at"
    list_filter = [("program", FewValues), "kind"]
    indexed_filters = ["program"]
    list_select_related = ["member"]
    search_fields = ["member__member_id", "order_id", "reference"]
    search_help_text = gettext_lazy("A whole member number, id of an order, or reference.")
    list_defer = ["by_product"]


@admin.register(Hold)
class HoldAdmin(LargeList, ReadOnlyAdmin):
    list_display = ["created_at", "member", "title", "points", "state", "order_id"]
    time_field = "created_at"
    indexed_filters = ["program"]
    list_filter = [("program", FewValues), "state"]
    list_select_related = ["member"]
    search_fields = ["member__member_id", "key", "order_id"]
    search_help_text = gettext_lazy("A whole member number, spend key, or id of an order.")


@admin.register(Merge)
class MergeAdmin(LargeList, ReadOnlyAdmin):
    list_display = ["at", "merged", "survivor", "actor", "reason"]
    time_field = "at"
    list_filter = [("program", FewValues)]
    list_select_related = ["merged", "survivor"]
    search_fields = ["merged__member_id", "survivor__member_id", "actor"]
    search_help_text = gettext_lazy("A whole member number, or who merged.")
