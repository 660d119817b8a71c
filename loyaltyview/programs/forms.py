"""The admin's form of a program: secrets are written and never shown, a vendor's settings are fields."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from loyaltyview.programs.brand_form import BrandForm
from loyaltyview.programs.models import (
    Program,
    default_kinds_together,
    default_languages,
    default_report_channels,
)
from loyaltyview.programs.moved import NEWSTORE, moved_secrets, provider_moved
from loyaltyview.programs.program_keys import KEYS
from loyaltyview.programs.provider_settings import restored, storable
from loyaltyview.programs.return_limits import return_limits
from loyaltyview.programs.rules import (
    CHANNELS,
    KINDS_TOGETHER,
    validate_address,
    validate_languages,
    validate_text,
)
from providers.errors import SettingsError
from providers.registry import PROVIDERS, provider_class
from providers.settings import SettingSpec

SECRETS = (
    "newstore_client_secret",
    "newstore_event_key",
    "newstore_event_key_previous",
    "provider_webhook_secret",
)


MOVED = _("The address it is sent to has changed: enter it again.")


class SecretField(forms.CharField):
    """A password-like input that is always rendered empty; left empty, the stored value stays."""

    def __init__(self, *, label: Any) -> None:
        widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
        super().__init__(label=label, required=False, widget=widget, validators=[validate_text])

    def say_whether_set(self, is_set: bool) -> None:
        kept = _("Set. Leave empty to keep it. If its address changes, enter it again.")
        self.help_text = kept if is_set else _("Not set.")


class AddressField(forms.CharField):
    """The address of another system; plain text, because Django's own URL field guesses schemes."""

    def __init__(self, *, label: Any) -> None:
        widget = forms.URLInput(attrs={"class": "vURLField"})
        super().__init__(label=label, max_length=200, widget=widget, validators=[validate_address])


class LanguagesField(forms.CharField):
    """Language codes in order of preference, separated by commas."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [code.strip() for code in (super().to_python(value) or "").split(",") if code.strip()]

    def validate(self, value: Any) -> None:
        validate_languages(value)

    def run_validators(self, value: Any) -> None:
        pass  # those of CharField expect text

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != initial)


class NamesField(forms.JSONField):
    """An object of names as JSON; left empty, everything has its usual name."""

    empty_values = [None, ""]

    def to_python(self, value: Any) -> Any:
        parsed = None if value in self.empty_values else super().to_python(value)
        return {} if parsed is None else parsed

    def prepare_value(self, value: Any) -> Any:
        return "" if value in (None, {}) else super().prepare_value(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or {}))
        except forms.ValidationError:
            return True


def field_name(kind: str, setting: str) -> str:
    """Return the name of the form field for a vendor's setting."""
    return f"provider_{kind}_{setting}"


def setting_fields() -> dict[str, forms.Field]:
    """Return a form field for every setting of every vendor."""
    return {
        field_name(kind, spec.name): _setting_field(spec)
        for kind in PROVIDERS
        for spec in provider_class(kind).setting_specs
    }


def _setting_field(spec: SettingSpec) -> forms.Field:
    if spec.is_secret:
        return SecretField(label=spec.name)
    options: dict[str, Any] = {
        "label": spec.name,
        "required": False,
        "help_text": spec.help,
        "initial": spec.default,
    }
    if spec.choices:
        choices = [(choice, choice) for choice in spec.choices]
        return forms.TypedChoiceField(**options, choices=choices, coerce=lambda value: spec.type(value))
    if spec.type is bool:
        return forms.BooleanField(**options)
    if spec.type in (int, Decimal):
        options |= {"min_value": spec.minimum, "max_value": spec.maximum}
        return forms.IntegerField(**options) if spec.type is int else forms.DecimalField(**options)
    if spec.type is dict:
        return forms.JSONField(**options)
    checks = [validate_text, validate_address] if spec.name.endswith("url") else [validate_text]
    return forms.CharField(**options, validators=checks)


class ProgramForm(BrandForm):
    """`program_form` adds the vendors' fields. Only those of the chosen vendor are validated and saved."""

    languages = LanguagesField(
        label=_("Languages"),
        initial=default_languages,
        help_text=_("Codes such as fr, en; the preferred one first."),
    )
    report_channels = forms.MultipleChoiceField(
        label=_("Reported channels"),
        choices=CHANNELS,
        initial=default_report_channels,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Orders of these channels earn points."),
    )
    kinds_together = forms.MultipleChoiceField(
        label=_("Used together in one cart"),
        choices=KINDS_TOGETHER,
        initial=default_kinds_together,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What is not chosen here is refused beside the other in one cart."),
    )
    newstore_api_url = AddressField(label=_("NewStore API address"))
    newstore_identity_url = AddressField(label=_("NewStore identity address"))
    newstore_launch_keys = NamesField(
        label=_("Names in the launch"),
        required=False,
        help_text=_('What the app calls our values, such as {"cart_total": "total"}.'),
    )
    newstore_coupon_api = NamesField(
        label=_("Coupon list"),
        required=False,
        help_text=_("Paths and field names of the coupon list where they are not the usual ones."),
    )
    newstore_data_query = NamesField(
        label=_("GraphQL"),
        required=False,
        help_text=_("Path and field names of the GraphQL API where they are not the usual ones."),
    )
    newstore_client_secret = SecretField(label=_("NewStore client secret"))
    newstore_event_key = SecretField(label=_("NewStore event key"))
    newstore_event_key_previous = SecretField(label=_("Former NewStore event key"))
    provider_webhook_secret = SecretField(label=_("Provider webhook secret"))

    class Meta:
        model = Program
        fields = [key.field for key in KEYS]  # what a file can set

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = {name: getattr(self.instance, name) for name in SECRETS}
        self.cleared: list[str] = []  # labels of secrets that an address change took away
        self.stored_kind = self.instance.provider_kind
        for name in SECRETS:
            self.initial.pop(name, None)
            self._say_whether_set(name, bool(self.stored[name]))
        self._say_what_returns_give_back()
        settings = restored(self.stored_kind, self.instance.provider_settings)
        for spec, name in self._specs(self.stored_kind):
            value = settings[spec.name]
            if spec.is_secret:
                self._say_whether_set(name, bool(value))
            elif value is not None:
                self.initial[name] = value

    def _say_whether_set(self, name: str, is_set: bool) -> None:
        field = self.fields.get(name)  # absent for those who may only look
        if isinstance(field, SecretField):
            field.say_whether_set(is_set)

    def _say_what_returns_give_back(self) -> None:
        """Add the limits of the chosen provider to the help of the rule for returns."""
        field = self.fields.get("return_policy")
        if field is not None:
            chosen = self.data.get("provider_kind") or self.stored_kind
            field.help_text = f"{field.help_text} {return_limits(chosen)}".strip()

    def _specs(self, kind: str) -> Iterator[tuple[SettingSpec, str]]:
        for spec in provider_class(kind).setting_specs if kind in PROVIDERS else ():
            yield spec, field_name(kind, spec.name)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        kind = data.get("provider_kind", "")
        fields = {spec.name: name for spec, name in self._specs(kind)}
        given = {name: data.get(field) for name, field in fields.items()}
        self._keep_secrets(data, given)
        for name in list(self.errors):
            if name in setting_fields() and name not in fields.values():
                del self.errors[name]  # of a vendor that was not chosen
        if kind in PROVIDERS and not any(name in self.errors for name in fields.values()):
            self._clean_settings(kind, given)
        if kind in PROVIDERS and data.get("currency"):
            try:
                provider_class(kind).check_currency(data["currency"])
            except SettingsError as error:
                self.add_error("currency", error.problem)
        return data

    def _keep_secrets(self, data: dict[str, Any], given: dict[str, Any]) -> None:
        """Fill in the stored secrets that the form left empty, but none that would go to a new address."""
        stored = self.instance  # still as in the database: the form's values come after `clean`
        after = {name: data.get(name, getattr(stored, name)) for name in (*NEWSTORE, "provider_kind")}
        moved = moved_secrets(stored, {**after, "provider_settings": given}) if stored.pk else set()
        for name in SECRETS:
            if not data.get(name) and name in moved:
                self._ask_again(name, is_required=name != "provider_webhook_secret")
            data[name] = data.get(name) or ("" if name in moved else self.stored[name])
        if after["provider_kind"] != self.stored_kind:
            return
        is_moved = provider_moved(stored, given)
        for spec, name in self._specs(self.stored_kind):
            secret = stored.provider_settings.get(spec.name)
            if not spec.is_secret or given[spec.name] or not secret:
                continue
            if is_moved:
                self._ask_again(name, is_required=spec.required)
            else:
                given[spec.name] = secret

    def _ask_again(self, name: str, *, is_required: bool) -> None:
        if is_required:
            self.add_error(name, MOVED)
        else:
            self.cleared.append(str(self.fields[name].label))

    def _clean_settings(self, kind: str, data: dict[str, Any]) -> None:
        given = {name: value for name, value in data.items() if value not in (None, "")}
        try:
            self.instance.provider_settings = storable(provider_class(kind).validate_settings(given))
        except SettingsError as error:
            name = field_name(kind, error.key)
            self.add_error(name if name in self.fields else "provider_kind", error.sentence)


def program_form() -> type[ProgramForm]:
    """Return the form with the fields of all vendors that are registered now."""
    return type("ProgramForm", (ProgramForm,), setting_fields())
