"""What a program's form in admin would make of the associate's page, before it is saved."""

from csp.decorators import csp_replace
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from loyaltyview.programs.brand_form import BrandForm
from loyaltyview.programs.models import Program

FALLBACK_TIER = "Gold"


@csp_replace({"frame-ancestors": ["'self'"]})
def brand_preview(request: HttpRequest) -> HttpResponse:
    """Answer with a sample of the page in the brand that the form holds. Logos and typeface are stored, so
    that the page can load them; those that no program keeps are deleted later."""
    return admin.site.admin_view(require_POST(_preview))(request)


def _preview(request: HttpRequest) -> HttpResponse:
    key = request.GET.get("program", "")
    stored = Program.objects.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 10 else None
    may = "programs.change_program" if stored else "programs.add_program"
    if not request.user.has_perm(may):
        raise PermissionDenied
    form = BrandForm(request.POST, request.FILES, instance=stored or Program())
    form.is_valid()
    program = form.instance
    program.name = request.POST.get("name", "")[:100] or _("Your program")
    tiers = list(program.tier_colors) or [FALLBACK_TIER]
    faults = [(form.fields[name].label, text) for name, texts in form.errors.items() for text in texts]
    welcome = next(iter(program.welcome.values()), "")
    context = {"program": program, "name": "Mia S.", "tiers": tiers, "faults": faults, "welcome": welcome}
    return render(request, "webview/brand_preview.html", context)
