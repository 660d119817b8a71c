"""Redemptions for administrators: read-only, with their trail, and two answers that resolve a stuck one."""

from typing import Any

from babel.numbers import get_currency_precision
from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from loyaltyview.ops.read_only_admin import ReadOnlyAdmin
from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import IssuedCode, Redemption, State, Transition
from loyaltyview.redemptions.refusals import label_of
from loyaltyview.redemptions.stuck_resolution import Question, question_of, resolve
from providers.admin_filters import NewestValues
from providers.large_lists import LargeList

# The questions that "It happened" and "It did not" answer.
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
    fields = ["at", "from_state", "to_state", "actor", "store_id", "device_id", "why"]
    readonly_fields = ["why"]

    @admin.display(description=_("reason"))
    def why(self, line: Transition) -> str:
        return label_of(line.reason)


class IssuedCodeInline(ReadOnlyInline):
    model = IssuedCode
    fields = ["code", "issued_at"]


@admin.register(Redemption)
class RedemptionAdmin(LargeList, ReadOnlyAdmin):
    """The worklist is the filter "state: needs a person". `last_error` says what is known. The page of a
    stuck redemption has a question and two buttons; the form sends the question with the answer."""

    list_display = [
        "requested_at",
        "title",
        "points",
        "saved",
        "currency",
        "state",
        "store_id",
        "question",
        "last_error",
    ]
    time_field = "requested_at"
    list_filter = ["state", "program", ("store_id", NewestValues), "kind"]
    indexed_filters = ["store_id", "program"]
    rare_values = {"state": [State.STUCK]}
    search_fields = ["id", "codes__code", "cart_id", "order_id", "member_ref", "provider_ref"]
    search_help_text = _("A whole code, cart, order, member number or reference of the program.")
    list_defer = ["cart", "discount", "memo"]
    exclude = ["saving", "refusal"]  # shown as `saved` and `refused_because`
    inlines = [TransitionInline, IssuedCodeInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = super().get_readonly_fields(request, obj)
        shown = {"saving": "saved", "refusal": "refused_because"}
        return ["question", *(shown.get(name, name) for name in fields)]

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
            context |= {"question": self.question(row), "asked": question_of(row).value}
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("saving"), ordering="saving")
    def saved(self, row: Redemption) -> str:
        """Return the saving with the decimals of its currency, not with those of the column."""
        return number_format(row.saving, get_currency_precision(row.currency))

    @admin.display(description=_("refused because"), ordering="refusal")
    def refused_because(self, row: Redemption) -> str:
        return label_of(row.refusal)

    @admin.display(description=_("question"))
    def question(self, row: Redemption) -> str:
        return str(QUESTIONS[question_of(row)]) if row.state == State.STUCK else ""

    def answer_one(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Take the answer of one of the two buttons on the page of a redemption."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        answer, asked = request.POST.get("answer"), request.POST.get("asked")
        if answer not in ("it_happened", "it_did_not") or asked not in set(Question):
            raise BadRequest
        is_resolved = resolve(
            row,
            Question(asked),
            it_happened=answer == "it_happened",
            actor=Actor(name=f"admin {request.user.get_username()}"),
            note=request.POST.get("note", "")[:200].replace("\0", ""),
        )
        self._say(request, row, is_resolved=is_resolved)
        return redirect("admin:redemptions_redemption_change", row.pk)

    def _say(self, request: HttpRequest, row: Redemption, *, is_resolved: bool) -> None:
        if is_resolved:
            self.log_change(request, row, str(_("Resolved a stuck redemption")))
            self.message_user(request, _("The redemption is resolved."), messages.SUCCESS)
        else:
            text = _("Nothing was changed: the question is another one by now, or there is none any more.")
            self.message_user(request, text, messages.WARNING)
