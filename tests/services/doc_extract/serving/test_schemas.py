"""`ListSchemas` and `PutSchema`, over real gRPC."""

import asyncio
from typing import Any

import pytest

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from services.doc_extract.candidate import ValueKind
from services.doc_extract.schema import credit
from tests.services.doc_extract.serving.conftest import Service, Start, faulted, refused
from tests.services.doc_extract.serving.fakes import ScriptedExtractor


def field(field_id: str = "manager", **given: Any) -> pb.Field:
    usual = {"name_zh": "客户经理", "aliases": ["客户经理", "Account manager"], "kind": pb.VALUE_KIND_PARTY}
    return pb.Field(field_id=field_id, **{**usual, **given})


async def put(service: Service, schema_id: str, *fields: pb.Field) -> pb.Schema:
    response: pb.PutSchemaResponse = await service.stub.PutSchema(
        pb.PutSchemaRequest(schema_id=schema_id, fields=fields)
    )
    return response.schema


async def listed(service: Service, **request: Any) -> list[pb.Schema]:
    return list((await service.stub.ListSchemas(pb.ListSchemasRequest(**request))).schemas)


async def test_the_built_in_schema(service: Service) -> None:
    (schema,) = await listed(service)
    assert (schema.schema_id, schema.version, schema.HasField("create_time")) == ("credit", "1", False)
    assert [each.field_id for each in schema.fields] == [each.id for each in credit().fields]
    amount = schema.fields[7]
    assert (amount.field_id, amount.kind, amount.builtin) == ("amount", pb.VALUE_KIND_AMOUNT, True)
    assert list(amount.required_in) == [pb.DOCUMENT_KIND_APPROVAL_NOTICE, pb.DOCUMENT_KIND_LOAN_CONTRACT]


async def test_a_field_of_the_banks_own(service: Service, extractor: ScriptedExtractor) -> None:
    own = field(review_below=0.9, required_in=[pb.DOCUMENT_KIND_OTHER])
    stored = await put(service, "acme", own)
    assert (stored.schema_id, stored.version) == ("acme", "1.1")
    assert stored.fields[-1] == own
    assert len(stored.fields) == 1 + len(credit().fields)
    result = await service.extract("r1", "manager: 张三\namount: 1".encode(), schema_id="acme")
    assert [value.field_id for value in result.values] == ["manager", "amount"]
    assert (result.schema_id, result.schema_version) == ("acme", "1.1")
    spec = extractor.schemas[-1].fields[-1]
    assert (spec.kind, spec.review_below, spec.builtin) == (ValueKind.PARTY, 0.9, False)


async def test_versions_are_kept(start: Start) -> None:
    service = await start()
    first = await put(service, "acme", field())
    assert await put(service, "acme", field()) == first
    result = await service.extract("r1", "manager: 张三".encode(), schema_id="acme")
    second = await put(service, "acme", field(), field("region", name_zh="地区"))
    assert second.version == "1.2"
    await put(service, "beta", field())
    assert [(each.schema_id, each.version) for each in await listed(service)] == [
        ("credit", "1"),
        ("acme", "1.2"),
        ("beta", "1.1"),
    ]
    assert await listed(service, schema_id="acme", all_versions=True) == [second, first]
    await service.close()
    service = await start()
    assert (await service.extract("r1", "manager: 张三".encode(), schema_id="acme")) == result
    assert (await service.extract("r2", b"region: x", schema_id="acme")).schema_version == "1.2"
    add = pb.Correction(add=pb.Add(field_id="region", text="x"))
    request = pb.ReviewResultRequest(result_id=result.result_id, reviewer="a", corrections=[add])
    assert await refused(service.stub.ReviewResult(request)) == ("INVALID_ARGUMENT", "REVIEW_INVALID")


async def test_schemas_that_come_at_once_get_versions_of_their_own(service: Service) -> None:
    stored = await asyncio.gather(*(put(service, "acme", field(f"field_{number}")) for number in range(6)))
    assert sorted(schema.version for schema in stored) == [f"1.{number}" for number in range(1, 7)]


@pytest.mark.parametrize(
    ("schema_id", "fields", "wrong"),
    [
        ("Acme", [field()], "schema_id"),
        ("", [field()], "schema_id"),
        ("acme", [], "fields"),
        ("acme", [field(f"f{number}") for number in range(65)], "fields"),
        ("acme", [field("1st")], "fields[0].field_id"),
        ("acme", [field("amount")], "fields[0].field_id"),
        ("acme", [field(), field()], "fields[1].field_id"),
        ("acme", [field(name_zh="")], "fields[0].name_zh"),
        ("acme", [field(name_en="a\nb")], "fields[0].name_en"),
        ("acme", [field(aliases=[])], "fields[0].aliases"),
        ("acme", [field(aliases=["x"] * 101)], "fields[0].aliases"),
        ("acme", [field(aliases=["a", " "])], "fields[0].aliases[1]"),
        ("acme", [field(aliases=["a" * 65])], "fields[0].aliases[0]"),
        ("acme", [field(kind=0)], "fields[0].kind"),
        ("acme", [field(kind=99)], "fields[0].kind"),
        ("acme", [field(required_in=[0])], "fields[0].required_in"),
        ("acme", [field(review_below=1.5)], "fields[0].review_below"),
        ("acme", [field(review_below=float("nan"))], "fields[0].review_below"),
    ],
)
async def test_schemas_that_cannot_be_used(
    service: Service, schema_id: str, fields: list[pb.Field], wrong: str
) -> None:
    assert await faulted(put(service, schema_id, *fields)) == ("SCHEMA_INVALID", wrong)
    assert len(await listed(service)) == 1


async def test_the_built_in_schema_is_not_replaced(service: Service) -> None:
    assert await refused(put(service, "credit", field())) == ("FAILED_PRECONDITION", "SCHEMA_BUILT_IN")
    assert await refused(listed(service, schema_id="acme")) == ("NOT_FOUND", "SCHEMA_NOT_FOUND")
