"""The enrolment form: e-mail or phone, a name, and two consents that are never ticked beforehand."""

from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.translation import gettext_lazy as _

from loyaltyview.webview.search_input import read_phone
from providers.texts import plain, shown
from providers.types import Birthday, Consent, Consents, EnrolmentField, MemberProfile


class PastedEmailField(forms.EmailField):
    """An address without the invisible characters of a copied one."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(plain(value) if isinstance(value, str) else value)


class NameField(forms.CharField):
    """A name on one line, without invisible characters."""

    def to_python(self, value: Any) -> str:
        return shown(super().to_python(value) or "")


# A year in which every day of a birthday exists.
LEAP_YEAR = 2000
FIELDS_OF = {
    EnrolmentField.BIRTHDAY: ("birth_month", "birth_day", "birth_year"),
    EnrolmentField.REFERRAL_CODE: ("referral_code",),
}


class EnrolForm(forms.Form):
    """`country` is the region of phone numbers, `asked` what the program asks beside the usual fields. The
    page draws the fields itself."""

    email = PastedEmailField(
        label=_("Email"),
        required=False,
        max_length=254,
        error_messages={"invalid": _("This is not an email address. Check it with the customer.")},
    )
    phone = forms.CharField(label=_("Phone"), required=False, max_length=40)
    first_name = NameField(label=_("First name"), required=False, max_length=100)
    last_name = NameField(label=_("Last name"), required=False, max_length=100)
    birth_month = forms.TypedChoiceField(
        label=_("Month"), required=False, coerce=int, empty_value=None, choices=[("", ""), *MONTHS.items()]
    )
    birth_day = forms.IntegerField(label=_("Day"), required=False, min_value=1, max_value=31)
    birth_year = forms.IntegerField(label=_("Year"), required=False, min_value=1900)
    referral_code = NameField(label=_("Referral code"), required=False, max_length=40)
    consent_email = forms.BooleanField(required=False)
    consent_sms = forms.BooleanField(required=False)

    def __init__(
        self, *args: Any, country: str, asked: AbstractSet[EnrolmentField] = frozenset(), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.country = country
        for name in set(FIELDS_OF) - asked:
            for field in FIELDS_OF[name]:
                del self.fields[field]

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
        if "birth_month" in self.fields and not self.errors:
            self._check_birthday(data)
        return data

    def _check_birthday(self, data: dict[str, Any]) -> None:
        month, day, year = (data.get(name) for name in FIELDS_OF[EnrolmentField.BIRTHDAY])
        if not month and not day and not year:
            return
        try:
            born = date(year or LEAP_YEAR, month or 0, day or 0)
        except ValueError:
            self.add_error("birth_day", forms.ValidationError(_("There is no such day."), code="invalid"))
            return
        if year and born > timezone.localdate():
            self.add_error("birth_day", forms.ValidationError(_("This day is still to come."), code="future"))

    def profile(self, store: str) -> MemberProfile:
        """Return what was typed; only after `is_valid`."""
        data = self.cleaned_data
        return MemberProfile(
            email=data["email"],
            phone=data["phone"],
            first_name=data["first_name"],
            last_name=data["last_name"],
            store=store,
            birthday=Birthday(
                month=data["birth_month"], day=data["birth_day"], year=data["birth_year"] or None
            )
            if data.get("birth_month")
            else None,
            referral_code=data.get("referral_code", ""),
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
