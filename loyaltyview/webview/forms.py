"""The enrolment form: e-mail or phone, a name, and two consents that are never ticked beforehand."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from loyaltyview.webview.search_input import read_phone
from providers.texts import plain, shown
from providers.types import Consent, Consents, MemberProfile


class PastedEmailField(forms.EmailField):
    """An address without the invisible characters of a copied one."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(plain(value) if isinstance(value, str) else value)


class NameField(forms.CharField):
    """A name on one line, without invisible characters."""

    def to_python(self, value: Any) -> str:
        return shown(super().to_python(value) or "")


class EnrolForm(forms.Form):
    """`country` is the region of phone numbers. The page draws the fields itself."""

    email = PastedEmailField(
        label=_("Email"),
        required=False,
        max_length=254,
        error_messages={"invalid": _("This is not an email address. Check it with the customer.")},
    )
    phone = forms.CharField(label=_("Phone"), required=False, max_length=40)
    first_name = NameField(label=_("First name"), required=False, max_length=100)
    last_name = NameField(label=_("Last name"), required=False, max_length=100)
    consent_email = forms.BooleanField(required=False)
    consent_sms = forms.BooleanField(required=False)

    def __init__(self, *args: Any, country: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country = country

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        return email.lower()

    def clean_phone(self) -> str:
        """Return the number in E.164."""
        text: str = self.cleaned_data["phone"]
        if not text:
            return ""
        phone = read_phone(text, self.country)
        if not phone:
            raise forms.ValidationError(
                _("This is not a phone number. From abroad it starts with + and the country code."),
                code="invalid",
            )
        return phone

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not data.get("email") and not data.get("phone"):
            self.add_error(
                "email",
                forms.ValidationError(_("An email address or a phone number is needed."), code="required"),
            )
        return data

    def profile(self, store: str) -> MemberProfile:
        """Return what was typed; only after `is_valid`."""
        data = self.cleaned_data
        return MemberProfile(
            email=data["email"],
            phone=data["phone"],
            first_name=data["first_name"],
            last_name=data["last_name"],
            store=store,
        )

    def consents(self, *, asks_email: bool, asks_sms: bool) -> Consents:
        """Return the answers: an empty box is a no; a consent without a box was not asked."""
        return Consents(
            email=_answer(asks_email, self.cleaned_data["consent_email"]),
            sms=_answer(asks_sms, self.cleaned_data["consent_sms"]),
        )


def _answer(is_asked: bool, is_ticked: bool) -> Consent:
    if not is_asked:
        return Consent.NOT_ASKED
    return Consent.YES if is_ticked else Consent.NO
