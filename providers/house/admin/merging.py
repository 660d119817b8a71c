"""Merging two cards of one person: a preview, a reason, a confirmation."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.errors import Rejected
from providers.house.members import read_tiers, tiers_at
from providers.house.merging import Numbers, merge_members, numbers_of, profile_after
from providers.house.models import Member

PERMISSION = "house.merge_members"
PROFILE = ("first_name", "last_name", "email", "phone", "birth_day", "birth_month", "birth_year")
CONSENTS = ("consent_email", "consent_sms")


class MergeForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=300,
        widget=forms.TextInput(attrs={"size": 60}),
        help_text=gettext_lazy("It is kept with your name. Do not name the member."),
    )
    is_sure = forms.BooleanField(label=gettext_lazy("These are two cards of one person"))


def merge_page(request: HttpRequest, survivor_pk: int, other_pk: int) -> HttpResponse:
    """Show what a merge would do; merge when the form is sent."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    members = Member.objects.filter(merged_into=None).in_bulk([survivor_pk, other_pk])
    if len(members) != 2:
        raise Http404
    survivor, other = members[survivor_pk], members[other_pk]
    if survivor.program != other.program:
        raise Http404
    form = MergeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            merge_members(
                survivor.program,
                survivor.member_id,
                other.member_id,
                actor=request.user.get_username(),
                reason=form.cleaned_data["reason"],
            )
        except Rejected as error:
            form.add_error(None, error.text)
        else:
            text = _("%(other)s is merged into %(survivor)s.")
            names = {"other": other.member_id, "survivor": survivor.member_id}
            messages.success(request, text % names)
            return redirect("admin:house_member_change", survivor.pk)
    context = {
        **admin.site.each_context(request),
        "opts": Member._meta,
        "title": _("Merge two cards"),
        "survivor": survivor,
        "other": other,
        "rows": _preview(survivor, other),
        "form": form,
    }
    return TemplateResponse(request, "admin/house/merge.html", context)


def _preview(survivor: Member, other: Member) -> list[tuple[Any, Any, Any, Any]]:
    """Return the lines of the preview: what, the survivor's, the other's, afterwards."""
    own, others = numbers_of(survivor), numbers_of(other)
    both = own + others
    after = profile_after(survivor, other)
    rows: list[tuple[Any, Any, Any, Any]] = [
        (_("Spendable points"), own.spendable, others.spendable, both.spendable),
        (_("Reserved points"), own.reserved, others.reserved, both.reserved),
        (_("Lifetime points"), own.lifetime_points, others.lifetime_points, both.lifetime_points),
        (_("Tier"), _tier(survivor, own), _tier(survivor, others), _tier(survivor, both)),
        (_("Vouchers"), own.vouchers, others.vouchers, both.vouchers),
        (_("Open holds"), own.holds, others.holds, both.holds),
    ]
    merged = Member(**after)
    for name in (*PROFILE, *CONSENTS):
        label = Member._meta.get_field(name).verbose_name  # type: ignore[union-attr]
        rows.append((str(label).capitalize(), *(_shown(card, name) for card in (survivor, other, merged))))
    return rows


def _tier(member: Member, numbers: Numbers) -> str:
    tier, _next = tiers_at(read_tiers(member.program), numbers.lifetime_points)
    return tier.name if tier else ""


def _shown(member: Member, name: str) -> Any:
    if name in CONSENTS:
        return getattr(member, f"get_{name}_display")()
    value = getattr(member, name)
    return "" if value is None else value


@admin.action(description=gettext_lazy("Merge two cards of one person"), permissions=["merge"])
def merge_two(admin_of_members: Any, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    """Go to the preview of the two selected cards; the one with the longer history survives."""
    cards = list(queryset.filter(merged_into=None).order_by("joined_at", "pk")[:3])
    if len(cards) != 2 or queryset.count() != 2 or cards[0].program != cards[1].program:
        text = _("Select two cards of one program that were not merged before.")
        admin_of_members.message_user(request, text, messages.ERROR)
        return None
    return redirect("admin:house_member_merge", cards[0].pk, cards[1].pk)
