"""API keys for administrators: made and shown once, changed in name and limits, revoked, never deleted. And
what web shops reported and reserved, to read.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from providers.admin_filters import FewValues
from providers.house.api.keys import make_key, revoke
from providers.house.api.models import ApiKey, Report, Reservation, Scope
from providers.large_lists import LargeList
from providers.read_only_admin import ReadOnlyAdmin


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Scopes"),
        choices=[(scope.value, format_lazy("{}: {}", scope.value, scope.label)) for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("What the key allows. Give each system a key with only what it needs."),
    )

    class Meta:
        model = ApiKey
        fields = ["program", "name", "scopes", "calls_per_minute", "expires_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = ApiKeyForm
    list_display = ["name", "program", "prefix", "last_used_at", "expires_at", "revoked_at"]
    list_filter = ["program"]
    search_fields = ["name", "prefix"]
    actions = ["revoke_keys"]

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        shown = ["prefix", "created_at", "last_used_at", "revoked_at"] if obj else []
        return ["program", "name", "scopes", "calls_per_minute", "expires_at", *shown]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        return ["program", "prefix", "created_at", "last_used_at", "revoked_at"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False  # a revoked key stays: it says who had access

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            # Only the form's own fields: a key that is revoked meanwhile stays revoked.
            obj.save(update_fields=form.changed_data)
        else:
            request.META["house_api.key"] = make_key(obj)

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the key in this answer only: neither a message nor the session keeps it."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("API key made"),
            "opts": self.opts,
            "key": request.META.pop("house_api.key"),
            "name": obj.name,
        }
        response = TemplateResponse(request, "house_api/key_made.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @admin.action(description=gettext_lazy("Revoke the selected keys"), permissions=["change"])
    def revoke_keys(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        count = sum(revoke(key.prefix) for key in keys)
        text = ngettext("%(count)d key is revoked.", "%(count)d keys are revoked.", count) % {"count": count}
        self.message_user(request, text, messages.SUCCESS)


@admin.register(Report)
class ReportAdmin(LargeList, ReadOnlyAdmin):
    list_display = ["reported_at", "kind", "report_id", "answer"]
    time_field = "reported_at"
    indexed_filters = ["program"]
    list_filter = [("program", FewValues), "kind"]
    search_fields = ["report_id"]
    search_help_text = gettext_lazy("The whole id of an order, return or cancellation.")
    exclude = ["digest"]


@admin.register(Reservation)
class ReservationAdmin(LargeList, ReadOnlyAdmin):
    list_display = ["created_at", "key", "hold", "expires_at", "closed_at", "has_expired"]
    time_field = "created_at"
    indexed_filters = ["program"]
    list_filter = [("program", FewValues), "has_expired"]
    list_select_related = ["hold"]
    search_fields = ["key", "hold__order_id"]
    search_help_text = gettext_lazy("The whole key of a cart, or the whole id of its order.")
    list_defer = ["discount"]
