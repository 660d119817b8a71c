"""The OpenAPI document and docs/house-api.md say what the API does: examples are sent, answers checked."""

import json
import re
import shlex
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator, FormatChecker

from providers.house.api.models import Scope
from providers.house.api.problems import PROBLEMS
from providers.house.models import Member
from tests.providers.house import build_campaign
from tests.providers.house_api.conftest import Shop, mem
from tests.test_architecture import ROOT

PAGE = (ROOT / "docs" / "house-api.md").read_text()
BASE = "https://loyalty.example.com/api/house/acme/v1/"


@pytest.fixture
def document(client: Client) -> Any:
    answer = client.get("/api/house/v1/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def check(document: Any, schema: Any, value: Any) -> None:
    """Raise for a value that its schema in the document does not allow."""
    whole = {**schema, "components": document["components"]}
    Draft202012Validator(whole, format_checker=FormatChecker()).validate(value)


def operation_of(document: Any, method: str, path: str) -> Any:
    """Return the operation that the document has for a real path."""
    for template, operations in document["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", r"\\w+", template), f"/{path}"):
            return operations[method.lower()]
    raise AssertionError(f"{method} {path} stands in no document")


def calls_of_page() -> list[tuple[str, str, Any]]:
    """Return method, path and body of each curl of the page."""
    found = []
    for block in re.findall(r"```\n(.*?)```", PAGE, re.S):
        words = shlex.split(re.sub(r"\\\n", " ", block))
        if words[0] != "curl":
            continue
        url = next(word for word in words if word.startswith("https:"))
        body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
        method = words[words.index("-X") + 1] if "-X" in words else "GET"
        assert "Authorization: Bearer $KEY" in words
        found.append((method, url.removeprefix(BASE), body))
    return found


def test_each_example_of_the_page_works_and_answers_as_the_document_says(
    shop: Shop, mia: Member, document: Any
) -> None:
    Member.objects.filter(pk=mia.pk).update(email="mia@example.com")
    build_campaign("WELCOME-7Q2M")
    real = {"mem_12": mem(mia)}
    for method, path, body in calls_of_page():
        text = json.dumps([path, body])
        for name, instead in real.items():
            text = text.replace(name, instead)
        path, body = json.loads(text)
        answer = shop.call(method, path, body)
        assert shop.status == 200, (path, answer)
        operation = operation_of(document, method, path)
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        check(document, schema, answer)
        if path == "reservations":
            real["res_7"] = answer["reservation"]
    assert len(calls_of_page()) == 11


def test_each_path_of_the_document_answers_and_refuses_as_it_says(
    shop: Shop, mia: Member, document: Any
) -> None:
    for template, operations in document["paths"].items():
        path = template.format(member="mem_999", reservation="res_999")[1:]
        for method, operation in operations.items():
            (scopes,) = (each["ApiKey"] for each in operation["security"])
            assert set(scopes) <= set(Scope.values)
            answer = shop.call(method.upper(), path, b"{" if "requestBody" in operation else None)
            assert answer["code"] in ("wrong_json", "member_not_found", "reservation_not_found")
            schema = operation["responses"]["4XX"]["content"]["application/problem+json"]["schema"]
            check(document, schema, answer)


def test_each_example_of_the_document_is_valid(document: Any) -> None:
    examples = 0
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
        for example in schema.get("examples", []):
            check(document, schema, example)
            examples += 1
    assert examples == 9
    assert document["openapi"] == "3.1.0"
    names = [each["operationId"] for path in document["paths"].values() for each in path.values()]
    assert len(names) == len(set(names))


def test_the_page_names_each_scope_and_every_code_has_a_status() -> None:
    assert all(f"| `{scope}` |" in PAGE for scope in Scope.values)
    assert all(400 <= status < 600 and sentence for status, sentence in PROBLEMS.values())
