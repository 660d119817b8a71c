"""Redemptions for administrators: read-only, with their trail, and the two answers to a stuck one."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from loyaltyview.ops.read_only_admin import ReadOnlyAdmin
from loyaltyview.redemptions.models import IssuedCode, Redemption, State, Transition
from loyaltyview.redemptions.requests import Actor
from loyaltyview.redemptions.resolution import Question, question_of, resolve

# What the two answers are answers to.
QUESTIONS = {
    Question.SPEND: _("Did the program take the points, or the voucher?"),
    Question.RELEASE: _("Were they given back, or replaced by hand?"),
    Question.CONFIRM: _("Does the program know that it was used?"),
}


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TransitionInline(ReadOnlyInline):
    model = Transition


class IssuedCodeInline(ReadOnlyInline):
    model = IssuedCode
    fields = ["code", "issued_at"]


@admin.register(Redemption)
class RedemptionAdmin(ReadOnlyAdmin):
    """The worklist is the filter "state: needs a person"; `last_error` says what is known. The answers are
    buttons on a redemption's own page, and actions for many that ask the same."""

    list_display = [
        "requested_at",
        "title",
        "points",
        "saving",
        "currency",
        "state",
        "store_id",
        "question",
        "last_error",
    ]
    list_filter = ["state", "program", "store_id", "kind"]
    search_fields = ["id__exact", "code", "cart_id", "order_id", "member_ref", "provider_ref"]
    date_hierarchy = "requested_at"
    inlines = [TransitionInline, IssuedCodeInline]
    actions = ["it_happened", "it_did_not"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["question", *super().get_readonly_fields(request, obj)]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.answer_one))
        return [
            path("<path:object_id>/answer/", view, name="redemptions_redemption_answer"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context["original"]
        if row and self.has_change_permission(request, row):
            context["question"] = self.question(row)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("what is asked"))
    def question(self, row: Redemption) -> str:
        return str(QUESTIONS[question_of(row)]) if row.state == State.STUCK else ""

    def answer_one(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """One of the two buttons on a redemption's own page."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        answer = request.POST.get("answer")
        if answer not in ("it_happened", "it_did_not"):
            raise BadRequest
        note = request.POST.get("note", "")[:200].replace("\0", "")
        self._resolve(request, [row], it_happened=answer == "it_happened", note=note)
        return redirect("admin:redemptions_redemption_change", row.pk)

    @admin.action(description=_("Stuck: it happened at the program"), permissions=["change"])
    def it_happened(self, request: HttpRequest, rows: QuerySet[Redemption]) -> None:
        self._resolve_alike(request, rows, it_happened=True)

    @admin.action(description=_("Stuck: it did not happen at the program"), permissions=["change"])
    def it_did_not(self, request: HttpRequest, rows: QuerySet[Redemption]) -> None:
        self._resolve_alike(request, rows, it_happened=False)

    def _resolve_alike(self, request: HttpRequest, rows: QuerySet[Redemption], *, it_happened: bool) -> None:
        stuck = list(rows.filter(state=State.STUCK))
        if len({question_of(row) for row in stuck}) > 1:
            text = _("These ask different things: choose those that ask the same.")
            self.message_user(request, text, messages.ERROR)
        else:
            self._resolve(request, stuck, it_happened=it_happened)

    def _resolve(
        self, request: HttpRequest, rows: Iterable[Redemption], *, it_happened: bool, note: str = ""
    ) -> None:
        actor = Actor(name=f"admin {request.user.get_username()}")
        done = [row for row in rows if resolve(row, it_happened=it_happened, actor=actor, note=note)]
        for row in done:
            self.log_change(request, row, str(_("Resolved a stuck redemption")))
        count = len(done)
        text = ngettext("%(n)d redemption resolved.", "%(n)d redemptions resolved.", count) % {"n": count}
        self.message_user(request, text, messages.SUCCESS if done else messages.WARNING)
