"""Programs and their stores for administrators, with "Test connection"."""

from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.forms import ModelForm, TextInput
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from loyaltyview.ops.read_only_admin import ReadOnlyAdmin
from loyaltyview.programs.brand_form import BRAND
from loyaltyview.programs.connections import check_connections
from loyaltyview.programs.forms import field_name, program_form
from loyaltyview.programs.models import Erasure, Program, Store, Trouble
from loyaltyview.programs.troubles import reason_of
from providers.admin_filters import NewestValues
from providers.errors import AuthFailed, ProviderError, SettingsError, Unavailable
from providers.large_lists import LargeList
from providers.registry import PROVIDERS, provider_class

TOO_LARGE = gettext_lazy(
    "The files are larger than 1 MB together, so nothing was saved. Choose smaller ones, or one at a time."
)
HOST_OPTIONS = [
    "newstore_check_carts",
    "newstore_lookup_associates",
    "newstore_reward_attribute",
    "newstore_launch_keys",
    "newstore_disable_codes",
    "newstore_coupon_api",
    "newstore_find_missed_events",
    "newstore_data_query",
    "newstore_rate_per_s",
]


@admin.register(Erasure)
class ErasureAdmin(LargeList, ReadOnlyAdmin):
    """Shows that a member was erased, never which one. `manage.py erase_member` erases."""

    list_display = ["at", "program", "pseudonym", "actor", "counts"]
    time_field = "at"
    list_filter = ["program"]
    list_select_related = ["program"]
    search_fields = ["pseudonym"]


@admin.register(Trouble)
class TroubleAdmin(LargeList, ReadOnlyAdmin):
    """What the front page counts, by quarter of an hour."""

    list_display = ["slot", "program", "kind", "reason", "code", "count", "last_at"]
    time_field = "slot"
    indexed_filters = ["program"]
    list_filter = ["kind", "program", ("code", NewestValues)]
    list_select_related = ["program"]

    @admin.display(description=gettext_lazy("reason"), ordering="code")
    def reason(self, trouble: Trouble) -> str:
        return reason_of(trouble)


class StoreInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Store
    extra = 0
    # Without the class, which makes each field as wide as a phone: the table fits a laptop.
    formfield_overrides = {models.CharField: {"widget": TextInput(attrs={"size": 14})}}


@admin.register(Program)
class ProgramAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """`check` calls the vendor: it runs outside of the transaction that Django wraps around saving."""

    list_display = ["name", "slug", "is_active", "provider_kind", "newstore_tenant"]
    list_filter = ["is_active", "provider_kind"]
    search_fields = ["name", "slug", "newstore_tenant"]
    inlines = [StoreInline]
    actions = ["test_connection"]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> "type[ModelForm[Any]]":
        return super().get_form(request, obj, change=change, **{"form": program_form(), **kwargs})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        may_change = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        newstore = ["newstore_tenant", "newstore_api_url", "newstore_identity_url", "newstore_client_id"]
        sections: list[Any] = [
            (
                None,
                {
                    "fields": [
                        "name",
                        "slug",
                        "is_active",
                        "currency",
                        "country",
                        "time_zone",
                        "languages",
                    ]
                },
            ),
            (
                _("Rules"),
                {
                    "fields": [
                        "identity",
                        "report_channels",
                        "earn_on",
                        "return_policy",
                        "associate_hour_limit",
                        "member_day_limit",
                        "codes_per_reward",
                        "codes_per_cart",
                        "kinds_together",
                        "product_names",
                    ]
                },
            ),
            (_("Brand"), {"fields": list(BRAND)}),
            (_("NewStore"), {"fields": [*newstore, "newstore_audience", "loyalty_attribute", *HOST_OPTIONS]}),
            (_("Provider"), {"fields": ["provider_kind"]}),
        ]
        if not may_change:
            # Users who may only view get plain values from the model: no secret may be among them.
            return sections
        sections[3][1]["fields"] += [
            "newstore_client_secret",
            "newstore_event_key",
            "newstore_event_key_previous",
        ]
        sections[4][1]["fields"] += ["provider_webhook_secret"]
        return [*sections, *self._provider_sections(obj.provider_kind if obj else "")]

    def _provider_sections(self, chosen: str) -> list[Any]:
        return [
            (
                _("Settings of %(provider)s") % {"provider": kind},
                {
                    "fields": [field_name(kind, spec.name) for spec in provider_class(kind).setting_specs],
                    "classes": [] if kind == chosen else ["collapse"],
                    "description": _("Used when the provider above is %(provider)s.") % {"provider": kind},
                },
            )
            for kind in PROVIDERS
            if provider_class(kind).setting_specs
        ]

    @method_decorator(csp_update({"frame-src": ["'self'"]}))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            self.message_user(request, TOO_LARGE, messages.ERROR)
            return redirect(request.get_full_path())
        return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.cleared:
            text = _("The address has changed, and these were cleared: %(names)s. Enter them again.")
            self.message_user(request, text % {"names": ", ".join(form.cleared)}, messages.WARNING)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.test_one))
        return [path("<path:object_id>/test/", view, name="programs_program_test"), *super().get_urls()]

    def test_one(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The button on a program's own page."""
        program = self.get_object(request, object_id)
        if program is None:
            raise Http404
        if not self.has_change_permission(request, program):
            raise PermissionDenied
        self._test(request, program)
        return redirect("admin:programs_program_change", program.pk)

    @admin.action(description=gettext_lazy("Test connection"), permissions=["change"])
    def test_connection(self, request: HttpRequest, queryset: QuerySet[Program]) -> HttpResponse | None:
        for program in queryset:
            self._test(request, program)
        return None

    def _test(self, request: HttpRequest, program: Program) -> None:
        """Report for each system that the program needs whether it works, and how it fails."""
        self._test_vendor(request, program)
        for checked in check_connections(program):
            self.message_user(request, checked.text, messages.SUCCESS if checked.is_ok else messages.ERROR)

    def _test_vendor(self, request: HttpRequest, program: Program) -> None:
        names = {"program": program.name, "provider": program.provider_kind}
        try:
            provider = program.provider()
            provider.check_currency(program.currency)
            result = provider.check()
        except AuthFailed as error:
            text, detail = _("%(program)s: %(provider)s does not accept the credentials."), error.detail
        except Unavailable as error:
            text, detail = _("%(program)s: %(provider)s cannot be reached."), error.detail
        except ProviderError as error:
            text, detail = _("%(program)s: %(provider)s gave an answer that is not understood."), error.detail
        except SettingsError as error:
            text, detail = _("%(program)s: the settings of %(provider)s are wrong."), str(error)
        else:
            text = _("%(program)s: connected to %(provider)s as %(account)s in %(latency)d ms.")
            shown = {**names, "account": result.account, "latency": result.latency_ms}
            self.message_user(request, text % shown, messages.SUCCESS)
            return
        self.message_user(request, f"{text % names} {detail}".strip(), messages.ERROR)
