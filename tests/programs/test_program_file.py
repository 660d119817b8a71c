"""What a program file may contain, and how precisely a wrong one is refused."""

import json
import string
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltyview.programs.program_file import ProgramFileError, program_from, read_program
from tests.programs.conftest import PROGRAM_FILE, SECRETS
from tests.programs.vendors import TestVendor


def problems_of(text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ProgramFileError) as refusal:
        read_program(text, SECRETS if environ is None else environ)
    return [str(problem) for problem in refusal.value.problems]


def with_line(old: str, new: str) -> str:
    assert old in PROGRAM_FILE
    return PROGRAM_FILE.replace(old, new, 1)


def test_a_complete_file_is_read() -> None:
    program = read_program(PROGRAM_FILE, SECRETS)

    assert (program.slug, program.currency, program.languages) == ("acme", "EUR", ["fr", "en"])
    assert program.newstore_client_secret == "a-client-secret"
    assert program.provider_settings["api_key"] == "an-api-key"
    assert program.provider_settings["rate"] == "0.05"
    assert program.provider_settings["page_size"] == 50
    assert [(store.store_id, store.provider_store) for store in program.stores] == [
        ("US_BOSTON_01", "boston-1")
    ]


def test_a_wrong_key_inside_a_setting_is_named_with_its_line() -> None:
    table = '[provider.testvendor.shops.paris]\nrating = "good"\nfee = 1\n\n[stores.US_BOSTON_01]'

    (problem,) = problems_of(with_line("[stores.US_BOSTON_01]", table))

    assert problem == "line 23: provider.testvendor.shops.paris.rating: must be a number"


def test_a_number_inside_a_setting_can_be_stored() -> None:
    table = "[provider.testvendor.shops]\nparis = {rating = 4.50}\n[stores.US_BOSTON_01]"

    program = read_program(with_line("[stores.US_BOSTON_01]", table), SECRETS)

    assert json.loads(json.dumps(program.provider_settings))["shops"] == {"paris": {"rating": "4.50"}}


def test_a_left_out_key_gets_its_default_and_active_keeps_its_value() -> None:
    program = read_program(PROGRAM_FILE, SECRETS)

    assert (program.identity, program.report_channels, program.loyalty_attribute) == (
        "required",
        ["store"],
        "loyalty_id",
    )
    assert program.is_active is None


def test_a_currency_that_the_vendor_cannot_represent_is_refused_with_its_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = PROGRAM_FILE.replace('currency = "EUR"', 'currency = "KWD"')
    assert read_program(text, SECRETS).currency == "KWD"
    monkeypatch.setattr(TestVendor, "most_decimals", 2)
    (problem,) = problems_of(text)
    assert problem == "line 3: currency: KWD has 3 decimals, testvendor takes amounts with at most 2"


def test_the_price_earns_unless_the_file_says_otherwise() -> None:
    assert read_program(PROGRAM_FILE, SECRETS).earn_on == "price"
    text = with_line('country = "FR"', 'country = "FR"\nearn_on = "without_tax"')
    assert read_program(text, SECRETS).earn_on == "without_tax"
    (problem,) = problems_of(text.replace("without_tax", "net"))
    assert problem.startswith("line 5: earn_on: ")


def test_return_policy_and_former_event_key_are_read() -> None:
    assert read_program(PROGRAM_FILE, SECRETS).return_policy == "pro_rata"
    text = with_line('country = "FR"', 'country = "FR"\nreturn_policy = "full"')
    text = text.replace("[newstore]", '[newstore]\nevent_key_previous = "env:ACME_API_KEY"')
    program = read_program(text, SECRETS)

    assert (program.return_policy, program.newstore_event_key_previous) == ("full", "an-api-key")
    assert "newstore.event_key_previous" in program.hidden
    (problem,) = problems_of(text.replace('"full"', '"half"'))
    assert problem.startswith("line 5: return_policy: ")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('name = "Acme Club"', 'nmae = "Acme Club"', ["name: missing", "line 2: nmae: unknown key"]),
        (
            "[newstore]",
            "[newstore]\nrealm = 1",
            ["line 8: newstore.realm: unknown key"],
        ),
        ('kind = "testvendor"', 'kind = "testvendor"\nurl = ""', ["line 17: provider.url: unknown key"]),
        ("rate = 0.05", "ratio = 5", ["line 20: provider.testvendor.ratio: unknown setting"]),
        ('name = "Boston"', 'name = "Boston"\nzip = "1"', ["line 24: stores.US_BOSTON_01.zip: unknown key"]),
        ('name = "Acme Club"', 'name = "Acme Club"\n[vendor]', ["line 3: vendor: unknown key"]),
        (
            'kind = "testvendor"',
            'kind = "none"',
            ["line 16: provider.kind: value 'none' is not a valid choice"],
        ),
    ],
)
def test_an_unknown_key_is_refused_with_its_line(old: str, new: str, expected: list[str]) -> None:
    found = problems_of(with_line(old, new))

    assert set(expected) <= set(found)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('name = "Acme Club"', "name = 5", "line 2: name: must be text"),
        ('languages = ["fr", "en"]', 'languages = "fr"', "line 5: languages: must be a list of texts"),
        ('languages = ["fr", "en"]', "languages = [1]", "line 5: languages: must be a list of texts"),
        (
            'languages = ["fr", "en"]',
            'languages = ["fr", "xx"]',
            "line 5: languages: xx is not a language code such as en or fr",
        ),
        ('country = "FR"', 'country = "FR"\nis_active = "yes"', "line 5: is_active: must be true or false"),
        (
            'country = "FR"',
            'country = "FR"\nmember_day_limit = true',
            "line 5: member_day_limit: must be a whole number",
        ),
        ('country = "FR"', 'country = "FR"\nslug2 = 1979-05-27', "line 5: slug2: unknown key"),
        ('name = "Acme Club"', "name = 1979-05-27", "line 2: name: must not be a date or time"),
        ("rate = 0.05", 'rate = "much"', "line 20: provider.testvendor.rate: must be a number"),
        ("rate = 0.05", "rate = nan", "line 20: provider.testvendor.rate: must be a finite number"),
        ("rate = 0.05", "page_size = 1.5", "line 20: provider.testvendor.page_size: must be a whole number"),
        ("rate = 0.05", "page_size = true", "line 20: provider.testvendor.page_size: must be a whole number"),
        ('name = "Boston"', "name = 7", "line 23: stores.US_BOSTON_01.name: must be text"),
        (
            '[stores.US_BOSTON_01]\nname = "Boston"\nprovider_store = "boston-1"',
            "[stores]\nA = 1",
            "line 23: stores.A: must be a table",
        ),
        ('name = "Acme Club"', 'name = "a\\u0000b"', "line 2: name: must not contain control characters"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_what_is_expected(
    old: str, new: str, expected: str
) -> None:
    assert expected in problems_of(with_line(old, new))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('currency = "EUR"', 'currency = "euro"', "line 3: currency: "),
        ('country = "FR"', 'country = "FRA"', "line 4: country: "),
        ('slug = "acme"', 'slug = "a c"', "line 1: slug: "),
        ('country = "FR"', 'country = "FR"\ncolor = "green"', "line 5: color: "),
        ('country = "FR"', 'country = "FR"\nidentity = "none"', "line 5: identity: "),
        ('country = "FR"', 'country = "FR"\nreport_channels = ["shop"]', "line 5: report_channels: "),
        ('name = "Acme Club"', f'name = "{"x" * 101}"', "line 2: name: "),
        ('name = "Acme Club"', 'name = ""', "line 2: name: must not be empty"),
        ('name = "Boston"', 'name = ""', "line 23: stores.US_BOSTON_01.name: must not be empty"),
        ('country = "FR"', 'country = "FR"\ntime_zone = "Europe"', "line 5: time_zone: must be a time zone"),
        (
            'name = "Boston"',
            'name = "Boston"\ntime_zone = "US/Boston"',
            "line 24: stores.US_BOSTON_01.time_zone: must be a time zone such as Europe/Paris",
        ),
        ('name = "Boston"', "", "line 22: stores.US_BOSTON_01.name: missing"),
        ('api_key = "env:ACME_API_KEY"', "", "line 17: provider.testvendor.api_key: missing"),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused(old: str, new: str, expected: str) -> None:
    assert any(problem.startswith(expected) for problem in problems_of(with_line(old, new)))


@pytest.mark.parametrize("key", ["client_secret", "event_key", "client_id"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_secret_that_is_not_set_is_refused_with_key_and_variable(key: str, value: str | None) -> None:
    name = f"ACME_{key.upper()}"
    environ = {other: secret for other, secret in SECRETS.items() if other != name}
    if value is not None:
        environ[name] = value

    [problem] = problems_of(PROGRAM_FILE, environ)

    assert problem.endswith(f"newstore.{key}: the environment variable {name} is not set or empty")
    assert problem.startswith("line ")


def test_a_missing_secret_of_the_vendor_is_refused_with_key_and_variable() -> None:
    environ = {name: value for name, value in SECRETS.items() if name != "ACME_API_KEY"}

    assert problems_of(PROGRAM_FILE, environ) == [
        "line 19: provider.testvendor.api_key: the environment variable ACME_API_KEY is not set or empty"
    ]


@pytest.mark.parametrize(
    "address",
    [
        "http://acme.p.newstore.net",
        "ftp://acme.p.newstore.net",
        "acme.p.newstore.net",
        "https://user:pw@acme.p.newstore.net",
        "https://",
        "https://[",
        "http://127.0.0.1.evil.test",
    ],
)
@pytest.mark.parametrize("key", ["api_url", "base_url"])
def test_an_address_must_be_https(address: str, key: str) -> None:
    old = next(line for line in PROGRAM_FILE.splitlines() if line.startswith(f"{key} ="))

    assert any(f".{key}: " in problem for problem in problems_of(with_line(old, f'{key} = "{address}"')))


@pytest.mark.parametrize("host", ["127.0.0.1:8100", "localhost:8100", "[::1]:8100"])
def test_http_is_allowed_on_this_machine(host: str) -> None:
    text = with_line("https://acme-staging.p.newstore.net", f"http://{host}")

    assert read_program(text, SECRETS).newstore_api_url == f"http://{host}"


def test_http_elsewhere_needs_the_flag() -> None:
    text = with_line("https://acme-staging.p.newstore.net", "http://acme.internal.example")

    assert read_program(text, SECRETS, allow_http=True).newstore_api_url.startswith("http://acme.internal")


def test_several_problems_are_reported_together_in_the_order_of_the_file() -> None:
    text = with_line('name = "Acme Club"', "name = 1").replace("rate = 0.05", "ratio = 1")
    text = text.replace("[newstore]", "[newstore]\nrealm = 1")

    assert [problem.split(":")[0] for problem in problems_of(text)] == ["line 2", "line 8", "line 21"]


def test_invalid_toml_is_refused_with_the_line() -> None:
    [problem] = problems_of("slug = acme")

    assert "not valid TOML" in problem
    assert "line 1" in problem


def test_lines_are_right_after_values_of_several_lines() -> None:
    text = with_line(
        'languages = ["fr", "en"]', 'languages = [\n  "fr",\n  "en",\n]\n# a remark\n\ncolour = """\na\n"""'
    )

    assert problems_of(text.replace("\n", "\r\n")) == ["line 11: colour: unknown key"]


def test_problems_contain_no_secret() -> None:
    text = PROGRAM_FILE.replace('"env:ACME_CLIENT_SECRET"', '"top\\u0000secret"').replace(
        '"env:ACME_EVENT_KEY"', "12345678"
    )

    told = "\n".join(problems_of(text))

    assert "newstore.client_secret" in told
    assert "top" not in told
    assert "12345678" not in told


# --- No table makes it raise anything but its own error -----------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.dates()
    | st.text(max_size=20)
    | st.sampled_from(["env:", "env:ACME_API_KEY", "https://vendor.test", "house", "testvendor", "EUR", "FR"])
)
keys = st.text(max_size=8) | st.sampled_from(
    [
        *("slug", "name", "currency", "country", "languages", "report_channels", "newstore", "provider"),
        *(
            "stores",
            "kind",
            "testvendor",
            "house",
            "api_url",
            "tenant",
            "base_url",
            "api_key",
            "rate",
            "names",
        ),
    ]
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=20,
)


@given(table=st.dictionaries(keys, values, max_size=10))
def test_any_table_is_read_or_refused(table: dict[str, Any]) -> None:
    refused_or_read(table)


@given(
    changes=st.dictionaries(keys, values, max_size=3),
    newstore=st.dictionaries(keys, values, max_size=3),
    settings=st.dictionaries(keys, values, max_size=4),
    stores=st.dictionaries(st.text(max_size=5), values, max_size=2),
)
def test_any_change_to_a_good_table_is_read_or_refused(
    changes: dict[str, Any], newstore: dict[str, Any], settings: dict[str, Any], stores: dict[str, Any]
) -> None:
    refused_or_read(good_table(newstore=newstore, settings=settings, stores=stores) | changes)


@given(text=st.text(alphabet=string.printable, max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ProgramFileError):
        read_program(text, SECRETS)


def good_table(**parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "slug": "acme",
        "name": "Acme",
        "currency": "EUR",
        "country": "FR",
        "newstore": {
            "tenant": "acme",
            "api_url": "https://acme.test",
            "identity_url": "https://id.test",
            "client_id": "c",
            "client_secret": "s",
            "event_key": "k",
        }
        | parts.get("newstore", {}),
        "provider": {
            "kind": "testvendor",
            "testvendor": {"base_url": "https://vendor.test", "api_key": "k"} | parts.get("settings", {}),
        },
        "stores": parts.get("stores", {}),
    }


def refused_or_read(table: dict[str, Any]) -> None:
    with suppress(ProgramFileError):
        program_from(table, SECRETS)


def test_a_deeply_nested_table_is_refused() -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"a": deep}

    with pytest.raises(ProgramFileError, match="nested too deeply"):
        program_from(good_table(settings={"names": deep}), {})


def test_a_date_inside_a_setting_is_refused() -> None:
    with pytest.raises(ProgramFileError, match="date"):
        program_from(good_table(settings={"names": {"since": date(2026, 1, 1)}}), {})


def test_a_whole_number_is_accepted_as_a_decimal() -> None:
    program = program_from(good_table(settings={"rate": 2}), {})

    assert Decimal(program.provider_settings["rate"]) == 2


def test_settings_of_newstore_are_read() -> None:
    text = PROGRAM_FILE.replace(
        "[provider]\n",
        "check_carts = false\nlookup_associates = true\nrate_per_s = 0\n"
        '[newstore.launch_keys]\ncart_total = "restant"\nstore_id = ["boutique", "store"]\naccent = []\n'
        '[newstore.coupon_api]\nlist_path = "/v1/coupons"\n[provider]\n',
        1,
    )
    program = read_program(text, SECRETS)

    assert program.newstore_launch_keys == {
        "cart_total": "restant",
        "store_id": ["boutique", "store"],
        "accent": [],
    }
    assert program.newstore_coupon_api == {"list_path": "/v1/coupons"}
    assert (program.newstore_check_carts, program.newstore_lookup_associates) == (False, True)
    assert (program.newstore_disable_codes, program.newstore_rate_per_s) == (False, 0)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('launch_keys = {total = "x"}', "newstore.launch_keys: total is not known"),
        ("launch_keys = {cart_total = 5}", "newstore.launch_keys: cart_total must be a name"),
        ('launch_keys = {cart_total = [""]}', "newstore.launch_keys: cart_total must be a name"),
        ('launch_keys = "x"', "newstore.launch_keys: must be a table"),
        ('coupon_api = {path = "/x"}', "newstore.coupon_api: path is not known"),
        ('coupon_api = {list_path = "x"}', "newstore.coupon_api: list_path must be a path"),
        ('coupon_api = {code_path = "/x/{code}"}', "newstore.coupon_api: code_path must be a path"),
        ("rate_per_s = -1", "newstore.rate_per_s: "),
        ("check_carts = 1", "newstore.check_carts: must be true or false"),
    ],
)
def test_a_wrong_setting_of_newstore_is_refused_with_its_line(table: str, expected: str) -> None:
    problems = problems_of(with_line("[provider]\n", f"{table}\n[provider]\n"))

    assert any(problem.startswith(f"line 15: {expected}") for problem in problems), problems
