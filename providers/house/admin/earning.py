"""Tiers, the rule of earning, its multipliers and their categories, for administrators."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.house.models import Category, EarnRule, Multiplier, Tier
from providers.house.rule_words import multiplier_in_words, rule_in_words


@admin.register(Tier)
class TierAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "program", "threshold", "multiplier"]
    list_filter = ["program"]


@admin.register(EarnRule)
class EarnRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["program", "points_per_unit", "expiry_months", "inactivity_months", "expires_on"]
    readonly_fields = ["in_words"]
    fieldsets = [
        (None, {"fields": ["program", "points_per_unit", "in_words"]}),
        (
            gettext_lazy("When points expire"),
            {
                "fields": ["expiry_months", "inactivity_months", "expires_on"],
                "description": gettext_lazy(
                    "Fill one of the three; none of them: points do not expire. A change holds for points "
                    "that are earned after it: points that members have keep the date that they were told. "
                    "Days count in the program's time zone."
                ),
            },
        ),
    ]

    @admin.display(description=gettext_lazy("In words"))
    def in_words(self, rule: EarnRule) -> str | SafeString:
        if not rule.pk:
            return _("Shown after the first save.")
        return format_html_join("", "<p>{}</p>", ((sentence,) for sentence in rule_in_words(rule)))


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 6})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        text = self.prepare_value(value) or ""
        return [line.strip() for line in text.splitlines() if line.strip()]


class CategoryForm(forms.ModelForm):  # type: ignore[type-arg]
    products = LinesField(
        label=gettext_lazy("Products"),
        help_text=gettext_lazy(
            "One product id a line. A star at the end stands for any ending: SHOE-* is every id that begins "
            "with SHOE-."
        ),
    )

    class Meta:
        model = Category
        fields = ["program", "name", "products"]


class MultiplierForm(forms.ModelForm):  # type: ignore[type-arg]
    stores = LinesField(
        label=gettext_lazy("Stores"),
        required=False,
        help_text=gettext_lazy(
            'One store a line, as the program\'s stores have it under "Provider store". Empty: all stores.'
        ),
    )

    class Meta:
        model = Multiplier
        fields = ["rule", "name", "factor", "is_active", "starts_on", "ends_on", "category", "tier", "stores"]


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = CategoryForm
    list_display = ["name", "program", "products"]
    list_filter = ["program"]
    search_fields = ["name", "products"]


@admin.register(Multiplier)
class MultiplierAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = MultiplierForm
    list_display = ["name", "rule", "in_words", "is_active"]
    list_filter = ["rule", "is_active"]
    list_select_related = ["rule", "category", "tier"]
    search_fields = ["name"]
    readonly_fields = ["in_words"]
    fieldsets = [
        (None, {"fields": ["rule", "name", "factor", "is_active", "in_words"]}),
        (
            gettext_lazy("For which purchases"),
            {
                "fields": ["starts_on", "ends_on", "category", "tier", "stores"],
                "description": gettext_lazy(
                    "All that you fill must fit. Both days are inclusive, in the program's time zone. Where "
                    "several multipliers fit an item, 0 wins, else the highest. The multiplier of the "
                    "member's tier comes on top."
                ),
            },
        ),
    ]

    @admin.display(description=gettext_lazy("In words"))
    def in_words(self, multiplier: Multiplier) -> str:
        return multiplier_in_words(multiplier) if multiplier.pk else _("Shown after the first save.")
