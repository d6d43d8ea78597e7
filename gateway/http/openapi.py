"""The OpenAPI document of what the HTTP port serves."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import grpc
from google.protobuf import any_pb2

from gateway.http.bodies import JSON, NDJSON
from gateway.http.comments import comments
from gateway.http.descriptors import Description, Method
from gateway.http.events import CONTENT_TYPE as EVENTS
from gateway.http.headers import TIMEOUT_HEADER
from gateway.http.schemas import Schema, Schemas

_ERROR = "Error"
_PARAMETERS: Mapping[str, Schema] = {
    "Timeout": {
        "name": TIMEOUT_HEADER,
        "in": "header",
        "description": "Milliseconds after which the call ends with DEADLINE_EXCEEDED.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
    },
    "RequestId": {
        "name": "x-request-id",
        "in": "header",
        "description": "Id of the request in logs and errors; made where there is none, and always answered.",
        "schema": {"type": "string", "maxLength": 128},
    },
    "IdempotencyKey": {
        "name": "idempotency-key",
        "in": "header",
        "description": "The same for every try of one request.",
        "schema": {"type": "string"},
    },
}
_SECURITY: Mapping[str, Schema] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key or an access token."},
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "mutualTLS": {"type": "mutualTLS", "description": "A client certificate, where the gateway asks for one."},
}


def document(descriptions: Sequence[Description], services: Iterable[str]) -> dict[str, Any]:
    """Describes services as OpenAPI 3.1.

    Args:
        descriptions: What the backends say.
        services: Full names of the services to describe.

    Returns:
        The document.
    """
    told = {name: text for description in descriptions for name, text in comments(description.files).items()}
    schemas = Schemas(told)
    wanted = set(services)
    methods = [
        method
        for description in descriptions
        for service, found in description.methods.items()
        if service in wanted
        for method in found.values()
    ]
    paths = {f"/v1{method.path}": {"post": _operation(method, schemas, told)} for method in methods}
    tags = [{"name": name, **_description(told, name)} for name in sorted({_service(method) for method in methods})]
    schemas.found[_ERROR] = _error(schemas.reference(any_pb2.Any.DESCRIPTOR))
    return {
        "openapi": "3.1.0",
        "info": {"title": "bankai", "version": "v1", "description": "AI capabilities for a bank, by JSON over HTTP."},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.found.items())),
            "parameters": _PARAMETERS,
            "responses": {_ERROR: {"description": "The call failed.", "content": {JSON: _schema(_reference(_ERROR))}}},
            "securitySchemes": _SECURITY,
        },
        "security": [{name: []} for name in _SECURITY],
        "tags": tags,
    }


def _operation(method: Method, schemas: Schemas, told: Mapping[str, str]) -> Schema:
    request = schemas.reference(method.descriptor.input_type)
    response = schemas.reference(method.descriptor.output_type)
    body = _lines(request) if method.request_streaming else {JSON: _schema(request)}
    answer = _events(response) if method.response_streaming else {JSON: _schema(response)}
    return {
        "operationId": method.path[1:].replace("/", "."),
        "tags": [_service(method)],
        **_description(told, method.descriptor.full_name),
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in _PARAMETERS],
        "requestBody": {"content": body},
        "responses": {
            "200": {"description": "The call's answer.", "content": answer},
            "default": {"$ref": f"#/components/responses/{_ERROR}"},
        },
    }


def _service(method: Method) -> str:
    return method.descriptor.containing_service.full_name


def _description(told: Mapping[str, str], name: str) -> Schema:
    return {"description": told[name]} if name in told else {}


def _lines(message: Schema) -> Schema:
    text = "JSON objects, one a line; the end of the body ends the stream. Lines are taken while answers are told."
    return {NDJSON: {"schema": {"type": "string", "description": text, "x-message": message}}}


def _events(message: Schema) -> Schema:
    text = (
        "Server-sent events: each message is the data of an event without a name, numbered by its id. The last event "
        "is `end`, or `error` with the error's JSON as its data. Comments are sent in silence."
    )
    return {EVENTS: {"schema": {"type": "string", "description": text, "x-message": message}}}


def _schema(schema: Schema) -> Schema:
    return {"schema": schema}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _error(detail: Schema) -> Schema:
    error = {
        "type": "object",
        "properties": {
            "code": {"type": "integer", "description": "HTTP status."},
            "status": {"type": "string", "enum": [code.name for code in grpc.StatusCode if code.value[0]]},
            "message": {"type": "string", "description": "For people: what was wrong, and what to do."},
            "details": {"type": "array", "items": detail},
        },
        "required": ["code", "status", "message", "details"],
    }
    return {
        "type": "object",
        "description": "A google.rpc.Status.",
        "properties": {"error": error},
        "required": ["error"],
    }
