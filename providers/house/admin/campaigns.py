"""Voucher campaigns for administrators: their codes are made, imported, given to members and exported here.

The pages only store what is wanted; the worker makes and gives the codes (`codes`, `mail_outs`).
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.house.admin.catalogue import AMOUNTS
from providers.house.codes import RefusedLine, check_pattern, read_codes, write_codes
from providers.house.mail_outs import read_members
from providers.house.models import Campaign, CampaignCode, CodeBatch, MailOut, Tier
from providers.house.models.campaigns import LONGEST_CODE, MOST_CODES
from providers.large_lists import LargeList
from providers.read_only_admin import ReadOnlyAdmin
from providers.texts import id_key


class MakeForm(forms.Form):
    pattern = forms.CharField(
        label=gettext_lazy("Pattern"),
        max_length=LONGEST_CODE,
        initial="{code}",
        validators=[check_pattern],
        help_text=gettext_lazy("Such as SUMMER-{code}. Ten random characters take the place of {code}."),
    )
    count = forms.IntegerField(
        label=gettext_lazy("How many"), min_value=1, max_value=MOST_CODES, initial=1000
    )

    def save(self, campaign: Campaign, actor: str) -> list[RefusedLine]:
        CodeBatch.objects.create(
            campaign=campaign,
            pattern=self.cleaned_data["pattern"],
            wanted=self.cleaned_data["count"],
            created_by=actor,
        )
        return []


class FileForm(forms.Form):
    """A CSV file that is only checked at first."""

    file = forms.FileField(
        label=gettext_lazy("CSV file"), help_text=gettext_lazy("In UTF-8. Only the first column is read.")
    )
    is_dry_run = forms.BooleanField(label=gettext_lazy("Only check the file"), required=False, initial=True)

    def clean_file(self) -> bytes:
        file = self.cleaned_data["file"]
        # The server takes no larger request.
        if file.size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise ValidationError(_("The file is too large for this page: see manage.py house_codes."))
        data: bytes = file.read()
        return data


class ImportForm(FileForm):
    def save(self, campaign: Campaign, actor: str) -> list[RefusedLine]:
        """Store the file's codes for the worker, or return its refused lines. Raises ValidationError."""
        codes, refused = read_codes(campaign.program, self.cleaned_data["file"])
        if not codes and not refused:
            raise ValidationError(_("The file has no codes."))
        if not refused and not self.cleaned_data["is_dry_run"]:
            CodeBatch.objects.create(
                campaign=campaign, wanted=len(codes), imported="\n".join(codes), created_by=actor
            )
        return refused


class GiveForm(FileForm):
    to = forms.ChoiceField(label=gettext_lazy("To"), widget=forms.RadioSelect)
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        required=False,
        help_text=gettext_lazy("For a list: member numbers or e-mails in the first column, in UTF-8."),
    )
    is_dry_run = forms.BooleanField(label=gettext_lazy("Only check the file"), required=False, initial=True)
    leaves_out = forms.BooleanField(label=gettext_lazy("Leave refused lines out"), required=False)
    field_order = ["to", "file", "leaves_out", "is_dry_run"]

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tiers = Tier.objects.filter(program=campaign.program)
        self.fields["to"].choices = [  # type: ignore[attr-defined]
            ("list", _("the members of a list")),
            *((str(tier.pk), _("all members of %(tier)s") % {"tier": tier.name}) for tier in tiers),
            ("all", _("all members")),
        ]

    def clean_file(self) -> bytes:
        return super().clean_file() if self.cleaned_data.get("file") else b""

    def save(self, campaign: Campaign, actor: str) -> list[RefusedLine]:
        """Start the mail-out, or return the refused lines of its list. Raises ValidationError."""
        to, is_dry_run = self.cleaned_data["to"], self.cleaned_data["is_dry_run"]
        mail_out = MailOut(campaign=campaign, created_by=actor, is_for_list=to == "list")
        refused: list[RefusedLine] = []
        if mail_out.is_for_list:
            mail_out.members, refused = read_members(campaign.program, self.cleaned_data["file"])
            if not mail_out.members and not refused:
                raise ValidationError(_("The file names no members."))
        elif to != "all":
            mail_out.tier = Tier.objects.get(pk=to)
        if is_dry_run or (refused and not self.cleaned_data["leaves_out"]):
            return refused
        mail_out.save()
        return []


@admin.register(Campaign)
class CampaignAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    formfield_overrides = AMOUNTS
    list_display = [
        "title",
        "campaign_id",
        "program",
        "kind",
        "starts_at",
        "ends_at",
        "is_active",
        "codes_left",
    ]
    list_filter = ["program", "is_active"]
    search_fields = ["title", "campaign_id"]
    prepopulated_fields = {"campaign_id": ["title"]}
    fieldsets = [
        (None, {"fields": ["program", "title", "campaign_id", "description", "terms", "is_active"]}),
        (gettext_lazy("Discount"), {"fields": ["kind", "amount", "percent", "skus", "minimum"]}),
        (gettext_lazy("Who and when"), {"fields": ["starts_at", "ends_at", "valid_days", "per_member"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[str]:
        return ["program"] if obj else []

    @admin.display(description=gettext_lazy("codes left"))
    def codes_left(self, campaign: Campaign) -> int:
        return campaign.codes.filter(member=None).count()

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, Callable[..., HttpResponseBase]] = {
            "make": self.make_codes,
            "import": self.import_codes,
            "give": self.give_codes,
            "export": self.export_codes,
        }
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"house_campaign_{name}")
            for name, view in pages.items()
        ]
        return [*own, *super().get_urls()]

    def make_codes(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A number of random codes."""
        campaign = self._campaign(request, pk)
        form = MakeForm(request.POST or None)
        text = _("The worker makes the codes, within some minutes.")
        return self._page(request, campaign, form, title=_("Make codes"), done=text)

    def import_codes(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Codes of a CSV file."""
        campaign = self._campaign(request, pk)
        form = ImportForm(request.POST or None, request.FILES or None)
        text = _("The worker stores the codes, within some minutes.")
        return self._page(request, campaign, form, title=_("Import codes"), done=text)

    def give_codes(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A code for each member of a tier or of a list."""
        campaign = self._campaign(request, pk)
        form = GiveForm(request.POST or None, request.FILES or None, campaign=campaign)
        text = _("The worker gives the codes, within some minutes.")
        return self._page(request, campaign, form, title=_("Give codes to members"), done=text)

    def export_codes(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """All codes as a CSV file, line by line."""
        campaign = self.get_object(request, str(pk))
        if campaign is None:
            raise Http404
        if not request.user.has_perm("house.view_campaigncode"):
            raise PermissionDenied
        codes = campaign.codes.select_related("campaign", "voucher", "member").order_by("pk")
        name = f"{campaign.campaign_id}-{timezone.now():%Y-%m-%d}.csv"
        return StreamingHttpResponse(
            write_codes(codes.iterator(chunk_size=2000)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _campaign(self, request: HttpRequest, pk: int) -> Campaign:
        campaign: Campaign | None = self.get_object(request, str(pk))
        if campaign is None:
            raise Http404
        if not self.has_change_permission(request, campaign):
            raise PermissionDenied
        return campaign

    def _page(
        self, request: HttpRequest, campaign: Campaign, form: Any, *, title: str, done: str
    ) -> HttpResponse:
        refused: list[RefusedLine] = []
        if request.method == "POST" and form.is_valid():
            try:
                refused = form.save(campaign, request.user.get_username())
            except ValidationError as error:
                form.add_error("file", error)
            else:
                if not refused and not form.cleaned_data.get("is_dry_run"):
                    self.log_change(request, campaign, title)
                    self.message_user(request, done, messages.SUCCESS)
                    return redirect("admin:house_campaign_change", campaign.pk)
                if not refused:
                    self.message_user(request, _("The file is good. Nothing was stored yet."), messages.INFO)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": campaign,
            "title": title,
            "button": title,
            "form": form,
            "refused": refused,
        }
        return TemplateResponse(request, "admin/house/form.html", context)


@admin.register(CodeBatch)
class CodeBatchAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "campaign", "pattern", "wanted", "made", "state", "created_by"]
    list_filter = ["campaign__program", "state"]
    list_select_related = ["campaign"]
    search_fields = ["campaign__title", "pattern"]


@admin.register(MailOut)
class MailOutAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "campaign", "tier", "is_for_list", "state", "given", "passed_over"]
    list_filter = ["campaign__program", "state"]
    list_select_related = ["campaign", "tier"]
    search_fields = ["campaign__title"]


@admin.register(CampaignCode)
class CampaignCodeAdmin(LargeList, ReadOnlyAdmin):
    list_display = ["code", "campaign", "batch", "member", "voucher", "given_at"]
    list_select_related = ["campaign", "batch__campaign", "member", "voucher"]
    search_fields = ["key", "member__member_id"]
    search_help_text = gettext_lazy("A whole code in any spelling, or a whole member number.")

    def spellings(self, text: str) -> list[str]:
        return [*super().spellings(text), id_key(text)] if text else []
