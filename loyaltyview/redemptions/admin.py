"""Redemptions for administrators: read-only, with their trail, and the two answers to a stuck one."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

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
class RedemptionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The worklist is the filter "state: needs a person"; `last_error` says what is known."""

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

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["question", *(field.name for field in Redemption._meta.fields)]

    @admin.display(description=_("what is asked"))
    def question(self, row: Redemption) -> str:
        return str(QUESTIONS[question_of(row)]) if row.state == State.STUCK else ""

    @admin.action(description=_("Stuck: it happened at the program"))
    def it_happened(self, request: HttpRequest, rows: QuerySet[Redemption]) -> None:
        self._resolve(request, rows, it_happened=True)

    @admin.action(description=_("Stuck: it did not happen at the program"))
    def it_did_not(self, request: HttpRequest, rows: QuerySet[Redemption]) -> None:
        self._resolve(request, rows, it_happened=False)

    def _resolve(self, request: HttpRequest, rows: QuerySet[Redemption], *, it_happened: bool) -> None:
        actor = Actor(name=f"admin {request.user.get_username()}")
        stuck = rows.filter(state=State.STUCK)
        done = sum(resolve(row, it_happened=it_happened, actor=actor) for row in stuck)
        for row in stuck:
            self.log_change(request, row, str(_("Resolved a stuck redemption")))
        text = ngettext("%(n)d redemption resolved.", "%(n)d redemptions resolved.", done) % {"n": done}
        self.message_user(request, text, messages.SUCCESS if done else messages.WARNING)
