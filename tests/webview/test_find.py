"""Finding a member: what may be typed, and what is never looked up."""

import re
from dataclasses import replace

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from loyaltyview.webview.forms import EnrolForm
from loyaltyview.webview.models import Launch
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.search_input import read_code, read_query
from providers.errors import Unavailable
from providers.types import QueryKind

from .fakes import NOAH, FakeProvider, Vendor


@pytest.mark.parametrize(
    ("typed", "kinds", "value"),
    [
        (" Mia@Example.test ", [QueryKind.EMAIL], "mia@example.test"),
        ("617-555-0100", [QueryKind.PHONE, QueryKind.MEMBER_ID, QueryKind.CODE], "+16175550100"),
        ("(617) 555 0100", [QueryKind.PHONE, QueryKind.MEMBER_ID, QueryKind.CODE], "+16175550100"),
        ("+33 6 12 34 56 78", [QueryKind.PHONE], "+33612345678"),
        ("+33\N{NO-BREAK SPACE}6 12 34 56 78", [QueryKind.PHONE], "+33612345678"),
        ("L-00042", [QueryKind.MEMBER_ID, QueryKind.CODE], "L-00042"),
        ("123456", [QueryKind.MEMBER_ID, QueryKind.CODE], "123456"),
        ("not@an@address", [QueryKind.MEMBER_ID, QueryKind.CODE], "not@an@address"),
        ("\u202a+1 617 555 0100\u202c", [QueryKind.PHONE], "+16175550100"),
        ("\u2068+16175550100\u2069", [QueryKind.PHONE], "+16175550100"),
        ("617\u2011555\u20110100", [QueryKind.PHONE, QueryKind.MEMBER_ID, QueryKind.CODE], "+16175550100"),
        ("mia@example.test\u200b", [QueryKind.EMAIL], "mia@example.test"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}L-00042", [QueryKind.MEMBER_ID, QueryKind.CODE], "L-00042"),
        # A range that our list of number plans does not know yet.
        ("+1 999 555 0100", [QueryKind.PHONE], "+19995550100"),
        ("011 1 999 555 0100", [QueryKind.MEMBER_ID, QueryKind.CODE, QueryKind.PHONE], "011 1 999 555 0100"),
        ("+1", [], ""),
        # A card of a scheme whose numbers pass Luhn: no payment network starts with 98.
        ("9826300012345671", [QueryKind.MEMBER_ID, QueryKind.CODE], "9826300012345671"),
        # A member number with letters is that first, whatever number it holds.
        ("L-6175550100", [QueryKind.MEMBER_ID, QueryKind.CODE, QueryKind.PHONE], "L-6175550100"),
        # A member card's EAN-13 that passes Luhn by chance, as one in ten does.
        ("2000000000008", [QueryKind.MEMBER_ID, QueryKind.CODE], "2000000000008"),
    ],
)
def test_one_field_reads_phone_email_number_and_code(typed: str, kinds: list[QueryKind], value: str) -> None:
    queries = read_query(typed, "US")
    assert [query.kind for query in queries] == kinds
    assert "".join(query.value for query in queries[:1]) == value


@pytest.mark.parametrize(
    "typed",
    [
        "4111 1111 1111 1111",
        "5555-5555-5555-4444",
        "378282246310005",
        "30569309025904",
        "4000000000000000006",
        "5105105105105100",
        "6011000990139424",
        "2223003122003222",
        "\u20684111\u2060111111111111\u2069",
        "4111\u20111111\u20111111\u20111111",
        "\uff14" + "\uff11" * 15,
    ],
)
def test_a_payment_card_is_never_looked_up(client: Client, page: str, vendor: Vendor, typed: str) -> None:
    response = client.post(page + "find/", {"q": typed})
    html = response.content.decode()
    assert response.status_code == 422
    assert 'data-error="CARD_NUMBER"' in html
    assert typed not in html, "nor is it sent back"
    assert vendor.calls == []


@pytest.mark.parametrize(
    ("typed", "country", "phone"),
    [
        ("0044 7911 123456", "GB", "+447911123456"),
        ("0049 172 1234567", "DE", "+491721234567"),
        ("011 44 7911 123456", "US", "+447911123456"),
    ],
)
def test_an_international_number_is_no_payment_card(typed: str, country: str, phone: str) -> None:
    assert read_query(typed, country)[0].value == phone


@given(number=st.integers(0, 10**7), start=st.sampled_from(["00447911", "0049172", "0039347", "0086138"]))
def test_no_number_dialled_with_00_is_taken_for_a_card(number: int, start: str) -> None:
    assert read_query(f"{start}{number:06d}", "GB")


@given(
    text=st.text(st.sampled_from("+0123456789-(). \u00a0\u202a\u2011x"), max_size=20)
    | st.from_regex(r"\+?1?[ .(-]*617[ .)-]*555[ .-]*0\d{3}", fullmatch=True)
)
def test_what_the_enrolment_form_reads_as_a_number_is_looked_up_as_that_number(text: str) -> None:
    form = EnrolForm({"phone": text}, country="US")
    phone = form.cleaned_data["phone"] if form.is_valid() else ""
    if phone:
        assert phone in [query.value for query in read_query(text, "US")]


@pytest.mark.parametrize("typed", ["4111 1111 1111 1111", "\u20684111111111111111\u2069"])
def test_a_payment_card_is_no_voucher(typed: str) -> None:
    with pytest.raises(Problem) as caught:
        read_code(typed)
    assert caught.value.code == "CARD_NUMBER"


@pytest.mark.parametrize("typed", [" PAPER-25\u200b", "\u2068PAPER-25\u2069"])
def test_a_pasted_voucher_is_read(typed: str) -> None:
    assert read_code(typed) == "PAPER-25"


def test_a_voucher_whose_number_passes_luhn_is_read() -> None:
    assert read_code("9826300012345671") == "9826300012345671"


@pytest.mark.parametrize(
    ("typed", "code"), [("", "EMPTY_QUERY"), ("  ", "EMPTY_QUERY"), ("x" * 201, "QUERY_TOO_LONG")]
)
def test_empty_and_too_long_input_is_refused(typed: str, code: str) -> None:
    with pytest.raises(Problem) as caught:
        read_query(typed, "US")
    assert caught.value.code == code


@pytest.mark.parametrize("typed", ["L-\0", "L-\N{ESCAPE}42"])
def test_what_cannot_be_read_is_never_looked_up(
    client: Client, page: str, vendor: Vendor, typed: str
) -> None:
    response = client.post(page + "find/", {"q": typed})
    html = response.content.decode()
    assert response.status_code == 422
    assert 'data-error="QUERY_UNREADABLE"' in html
    assert typed not in html
    assert vendor.calls == []


def test_a_scanned_text_that_is_no_query_is_shown(client: Client, page: str) -> None:
    scanned = "https://club.example/" + "x" * 200
    response = client.post(page + "find/", {"q": scanned})
    assert response.status_code == 422
    assert f'value="{scanned}"' in response.content.decode()


def test_one_match_is_shown_at_once(client: Client, page: str) -> None:
    response = client.post(page + "find/", {"q": "617 555 0101"}, follow=True)
    assert "Noah B." in response.content.decode()
    assert Launch.objects.get().member_ref == "L-00043"


def test_several_matches_are_chosen_from_masked_rows(client: Client, page: str) -> None:
    html = client.post(page + "find/", {"q": "family@example.test"}).content.decode()
    assert "2 matches" in html
    choices = re.findall(r'name="member" value="([^"]+)"', html)
    assert len(choices) == 2
    assert "L-00043" not in choices[0]
    response = client.post(page + "choose/", {"member": choices[1]}, follow=True)
    assert "Anna B." in response.content.decode()


def test_twins_with_short_numbers_keep_their_email_beside_the_number(
    client: Client, page: str, vendor: Vendor
) -> None:
    twins = (replace(NOAH, ref=number, member_id=number) for number in ("12", "13"))
    vendor.members = {twin.ref: twin for twin in twins}
    html = client.post(page + "find/", {"q": "family@example.test"}).content.decode()

    for number in ("12", "13"):
        assert f"<span>••• 0101</span><span>f•••@example.test</span><span>{number}</span>" in html


def test_only_listed_members_can_be_chosen(client: Client, page: str) -> None:
    response = client.post(page + "choose/", {"member": "L-00043"})
    assert response.status_code == 422
    assert 'data-error="CHOICE_EXPIRED"' in response.content.decode()
    assert Launch.objects.get().member_ref == ""


def test_without_a_match_the_page_shows_what_was_read_and_offers_enrolment(client: Client, page: str) -> None:
    html = client.post(page + "find/", {"q": "617.555.0199"}).content.decode()
    assert "+1 617-555-0199" in html
    assert "Enrol this customer" in html
    enrol = client.post(page + "enrol/", {"typed": "+1 617-555-0199"}).content.decode()
    assert 'value="+16175550199"' in enrol


def test_a_number_that_the_form_would_refuse_is_looked_up_and_not_offered_for_enrolment(
    client: Client, page: str, vendor: Vendor
) -> None:
    html = client.post(page + "find/", {"q": "+1 999 555 0100"}).content.decode()
    assert "No member found" in html
    assert "Enrol this customer" not in html
    assert "find_members" in vendor.calls


def test_htmx_gets_only_the_content(client: Client, page: str) -> None:
    html = client.post(page + "find/", {"q": "nobody"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in html
    assert "No member found" in html


def test_look_ups_are_limited(
    client: Client, page: str, vendor: Vendor, clock_stands: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LOOKUPS_PER_MINUTE", 2)
    statuses = [client.post(page + "find/", {"q": f"nobody-{n}"}).status_code for n in range(3)]
    assert statuses == [200, 200, 429]


def test_a_vendor_that_is_down_is_said_so(client: Client, page: str, vendor: Vendor) -> None:
    vendor.down(Unavailable("timeout"))
    response = client.post(page + "find/", {"q": "617 555 0101"})
    assert response.status_code == 503
    assert 'data-error="PROVIDER_UNAVAILABLE"' in response.content.decode()


@pytest.mark.parametrize(("is_one_lookup", "calls"), [(True, 1), (False, 2)])
def test_a_vendor_with_one_look_up_for_numbers_and_codes_is_asked_once(
    client: Client,
    page: str,
    vendor: Vendor,
    monkeypatch: pytest.MonkeyPatch,
    is_one_lookup: bool,
    calls: int,
) -> None:
    monkeypatch.setattr(FakeProvider, "finds_codes_as_ids", is_one_lookup)
    client.post(page + "find/", {"q": "nobody-1"})
    assert vendor.calls.count("find_members") == calls


def test_hostile_text_stays_text(client: Client, page: str) -> None:
    html = client.post(page + "find/", {"q": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in html
