"""The fields of a program's brand in admin: files are checked and made small, pairs are lines."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from loyaltyview.brand.fields import COLOR, LARGEST_RADIUS, validate_tier_colors, validate_welcome
from loyaltyview.brand.files import Made, address_of, made_logo, made_typeface, store
from loyaltyview.programs.models import Program
from loyaltyview.programs.rules import validate_product_names
from providers.pictures import MOST_BYTES

PICTURES = "image/png,image/jpeg,image/webp"
TYPEFACES = ".woff2,.woff,.ttf,.otf"
BRAND = ("color", "header", "radius", "logo", "logo_dark", "typeface", "tier_colors", "welcome")


class _Stored:
    """A stored file, as Django's widget shows it."""

    def __init__(self, name: str) -> None:
        self.name, self.url = name, address_of(name)

    def __str__(self) -> str:
        return self.name


class BrandFileInput(forms.ClearableFileInput):
    def is_initial(self, value: Any) -> bool:
        return bool(value)

    def format_value(self, value: Any) -> Any:
        return _Stored(value) if value and isinstance(value, str) else None


class BrandFileField(forms.FileField):
    """A file of the brand. Its value is the name of the stored file, "" for none."""

    def __init__(self, made_by: Callable[[bytes], Made], accept: str, **options: Any) -> None:
        self.made_by = made_by
        super().__init__(required=False, widget=BrandFileInput(attrs={"accept": accept}), **options)

    def clean(self, data: Any, initial: Any = None) -> str:
        file = super().clean(data, initial)
        if file is False:
            return ""
        if not file or isinstance(file, str):
            return str(initial or "")
        made = self.made_by(file.read(MOST_BYTES + 1))
        store(made)
        return made.name


class PairsField(forms.CharField):
    """An object of texts, written as lines such as "Gold = #b8860b"."""

    def __init__(self, example: str, check: Callable[[Any], None], **options: Any) -> None:
        self.example, self.check = example, check
        widget = forms.Textarea(attrs={"rows": 4, "cols": 60})
        super().__init__(required=False, widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return "\n".join(f"{name} = {text}" for name, text in value.items())

    def to_python(self, value: Any) -> Any:
        pairs: dict[str, str] = {}
        for number, line in enumerate((super().to_python(value) or "").splitlines(), start=1):
            name, sign, text = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if not (name and sign and text):
                raise forms.ValidationError(
                    _("Line %(number)d must be written such as: %(example)s"),
                    params={"number": number, "example": self.example},
                )
            if name in pairs:
                raise forms.ValidationError(
                    _("Line %(number)d names %(name)s again."), params={"number": number, "name": name}
                )
            pairs[name] = text
        return pairs

    def validate(self, value: Any) -> None:
        self.check(value)

    def run_validators(self, value: Any) -> None:
        pass  # those of CharField expect text

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or {}))
        except forms.ValidationError:
            return True


class BrandForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the pages of a program look like."""

    color = forms.CharField(
        label=_("Colour"),
        max_length=7,
        initial=COLOR,
        widget=forms.TextInput(attrs={"type": "color"}),
        help_text=_("Made darker or lighter on the page until it can be read."),
    )
    radius = forms.IntegerField(
        label=_("Corner radius"),
        min_value=0,
        max_value=LARGEST_RADIUS,
        initial=12,
        help_text=_("Of cards and buttons, 0 to 24 pixels."),
    )
    logo = BrandFileField(
        made_logo,
        PICTURES,
        label=_("Logo"),
        help_text=_("PNG, JPEG or WebP, at most 1 MB. Shown 32 pixels high, in place of the name."),
    )
    logo_dark = BrandFileField(
        made_logo,
        PICTURES,
        label=_("Logo for dark surfaces"),
        help_text=_("Left empty, the other one is shown there too."),
    )
    typeface = BrandFileField(
        made_typeface,
        TYPEFACES,
        label=_("Typeface"),
        help_text=_("WOFF2, WOFF, TTF or OTF, one style, at most 1 MB. Left empty, the device's own."),
    )
    tier_colors = PairsField(
        "Gold = #b8860b",
        validate_tier_colors,
        label=_("Colours of tiers"),
        help_text=_("A line for each tier, as the provider names it, such as: Gold = #b8860b"),
    )
    welcome = PairsField(
        "en = Welcome to the Acme Club",
        validate_welcome,
        label=_("Welcome sentence"),
        help_text=_("For the customer. A line for each language, such as: en = Welcome to the Acme Club"),
    )
    product_names = PairsField(
        "TOTE-01 = Canvas tote",
        validate_product_names,
        label=_("Names of products"),
        help_text=_("Shown in place of a product id. A line for each, such as: TOTE-01 = Canvas tote"),
    )

    class Meta:
        model = Program
        fields = [*BRAND, "product_names"]
