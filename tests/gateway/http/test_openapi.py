"""The OpenAPI document."""

from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from openapi_spec_validator import validate

from gateway.http.descriptors import describe
from gateway.http.openapi import document
from tests.gateway.http.conftest import Http
from tests.gateway.http.kinds import SERVICE, files, sample


async def fetched(http: Http) -> dict[str, Any]:
    async with http.session.get(f"{http.base}/openapi.json", headers={"x-api-key": http.key}) as answer:
        assert answer.status == 200
        told: dict[str, Any] = await answer.json()
        return told


async def test_it_is_valid_and_has_every_method(http: Http) -> None:
    told = await fetched(http)
    validate(told)
    names = ("Break", "Chat", "Fail", "Gather", "Hang", "Headers", "Mirror", "Nothing", "Repeat")
    assert list(told["paths"]) == [f"/v1/{SERVICE}/{name}" for name in names]
    content = {path.rpartition("/")[2]: item["post"] for path, item in told["paths"].items()}
    assert list(content["Chat"]["requestBody"]["content"]) == ["application/x-ndjson"]
    assert list(content["Chat"]["responses"]["200"]["content"]) == ["text/event-stream"]
    assert list(content["Mirror"]["responses"]["200"]["content"]) == ["application/json"]
    assert content["Mirror"]["responses"]["default"] == {"$ref": "#/components/responses/Error"}
    assert set(told["components"]["securitySchemes"]) == {"bearer", "apiKey", "mutualTLS"}


async def test_a_schema_has_every_field(http: Http) -> None:
    schemas = (await fetched(http))["components"]["schemas"]
    properties = schemas["toy.v1.Sample"]["properties"]
    assert list(properties) == [field.json_name for field in sample().DESCRIPTOR.fields]
    assert properties["int64Value"] == {"type": "string", "format": "int64"}
    assert properties["bytesValue"] == {"type": "string", "contentEncoding": "base64"}
    assert properties["inners"] == {"type": "array", "items": {"$ref": "#/components/schemas/toy.v1.Sample.Inner"}}
    inner = {"$ref": "#/components/schemas/toy.v1.Sample.Inner"}
    assert properties["byName"] == {"type": "object", "additionalProperties": inner}
    assert schemas["toy.v1.Sample.Inner"]["properties"]["inner"] == inner
    assert schemas["toy.v1.Colour"]["enum"] == ["COLOUR_UNSPECIFIED", "COLOUR_RED", "COLOUR_GREEN"]
    assert schemas["google.protobuf.Int64Value"] == {"type": ["string", "null"], "format": "int64"}
    assert schemas["toy.v1.Sample"]["description"] == "Only one of textChoice, innerChoice can be set."


async def test_it_is_for_those_who_may_ask_by_reflection(http: Http) -> None:
    async with http.session.get(f"{http.base}/openapi.json") as answer:
        assert answer.status == 401
        assert (await answer.json())["error"]["status"] == "UNAUTHENTICATED"


def test_comments_become_descriptions() -> None:
    described: FileDescriptorSet = files()
    told = document([describe(list(described.file), [SERVICE])], [SERVICE])
    validate(told)
    schemas = told["components"]["schemas"]
    assert told["paths"][f"/v1/{SERVICE}/Gather"]["post"]["description"] == (
        "Answers the number of samples and the text of all."
    )
    assert told["tags"] == [{"name": SERVICE, "description": "Answers what it is sent."}]
    assert schemas["toy.v1.Colour"]["description"] == "A colour."
    assert schemas["toy.v1.Sample.Inner"]["description"] == "A message within."
    assert schemas["toy.v1.Sample.Inner"]["properties"]["name"] == {"type": "string", "description": "Its name."}
    assert "description" not in schemas["toy.v1.Sample"]["properties"]["int64Value"]
    assert schemas["toy.v1.Sample"]["description"].startswith("A field of every kind. Only one of")
