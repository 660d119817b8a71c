"""The OpenAPI document, made once in each process."""

from functools import cache
from typing import Any

from django.http import JsonResponse
from pydantic.json_schema import models_json_schema

from providers.house.api.calls.answers import ProblemOut
from providers.house.api.calls.urls import api

REF = "#/components/schemas/{model}"


def answer() -> JsonResponse:
    """Return the document as an answer."""
    response = JsonResponse(document())
    response["Cache-Control"] = "public, max-age=300"
    return response


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    found: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=""))
    _keys, schema = models_json_schema([(ProblemOut, "serialization")], ref_template=REF)
    components = found["components"]
    components["schemas"].update(schema["$defs"])
    components["securitySchemes"] = {
        "ApiKey": {"type": "http", "scheme": "bearer", "description": "A key that an administrator made."}
    }
    found["servers"] = [
        {
            "url": "/api/house/{program}/v1",
            "variables": {"program": {"default": "acme", "description": "The slug of the program."}},
        }
    ]
    refusal = {
        "description": "Refused: `code` says why.",
        "content": {"application/problem+json": {"schema": {"$ref": REF.format(model="ProblemOut")}}},
    }
    for operations in found["paths"].values():
        for operation in operations.values():
            operation["responses"] |= {"4XX": refusal, "5XX": refusal}
    return found
