"""JSON schemas of protobuf messages, as their JSON mapping has them."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

Schema = dict[str, Any]

_SIGNED_64 = {"type": "string", "format": "int64"}
_UNSIGNED_64 = {"type": "string", "format": "uint64"}
_SIGNED_32 = {"type": "integer", "format": "int32"}
_UNSIGNED_32 = {"type": "integer", "format": "uint32", "minimum": 0}
_SCALARS: Mapping[int, Schema] = {
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.TYPE_INT64: _SIGNED_64,
    FieldDescriptor.TYPE_SINT64: _SIGNED_64,
    FieldDescriptor.TYPE_SFIXED64: _SIGNED_64,
    FieldDescriptor.TYPE_UINT64: _UNSIGNED_64,
    FieldDescriptor.TYPE_FIXED64: _UNSIGNED_64,
    FieldDescriptor.TYPE_INT32: _SIGNED_32,
    FieldDescriptor.TYPE_SINT32: _SIGNED_32,
    FieldDescriptor.TYPE_SFIXED32: _SIGNED_32,
    FieldDescriptor.TYPE_UINT32: _UNSIGNED_32,
    FieldDescriptor.TYPE_FIXED32: _UNSIGNED_32,
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}
_WRAPPED: Mapping[str, int] = {
    "google.protobuf.DoubleValue": FieldDescriptor.TYPE_DOUBLE,
    "google.protobuf.FloatValue": FieldDescriptor.TYPE_FLOAT,
    "google.protobuf.Int64Value": FieldDescriptor.TYPE_INT64,
    "google.protobuf.UInt64Value": FieldDescriptor.TYPE_UINT64,
    "google.protobuf.Int32Value": FieldDescriptor.TYPE_INT32,
    "google.protobuf.UInt32Value": FieldDescriptor.TYPE_UINT32,
    "google.protobuf.BoolValue": FieldDescriptor.TYPE_BOOL,
    "google.protobuf.StringValue": FieldDescriptor.TYPE_STRING,
    "google.protobuf.BytesValue": FieldDescriptor.TYPE_BYTES,
}
_OWN_FORMS: dict[str, Schema] = {
    "google.protobuf.Any": {
        "type": "object",
        "description": "Any message: its fields beside the URL of its type.",
        "properties": {"@type": {"type": "string", "examples": ["type.googleapis.com/google.rpc.ErrorInfo"]}},
        "required": ["@type"],
        "additionalProperties": True,
    },
    "google.protobuf.Duration": {
        "type": "string",
        "description": "Seconds with up to nine decimals.",
        "pattern": r"^-?\d+(\.\d{1,9})?s$",
        "examples": ["1.5s"],
    },
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.FieldMask": {
        "type": "string",
        "description": "Names of fields in lowerCamelCase, with commas between them.",
        "examples": ["name,address.street"],
    },
    "google.protobuf.ListValue": {"type": "array", "items": {}},
    "google.protobuf.Struct": {"type": "object", "additionalProperties": True},
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time", "examples": ["2026-03-01T09:30:00Z"]},
    "google.protobuf.Value": {"description": "Any JSON."},
    "google.protobuf.NullValue": {"type": "null"},
}
_WELL_KNOWN: Mapping[str, Schema] = _OWN_FORMS | {
    name: _SCALARS[kind] | {"type": [_SCALARS[kind]["type"], "null"]} for name, kind in _WRAPPED.items()
}


class Schemas:
    """Collects the schemas of messages and of all that is in them.

    Args:
        comments: Comments of the protos by the full names that they stand at.
    """

    def __init__(self, comments: Mapping[str, str]) -> None:
        self.found: dict[str, Schema] = {}
        """Schemas by the full names of messages and enums."""
        self._comments = comments

    def reference(self, kind: Descriptor | EnumDescriptor) -> Schema:
        """A reference to the schema of a message or of an enum, which is made if it was not yet."""
        if kind.full_name not in self.found:
            self.found[kind.full_name] = {}  # so that a message that holds itself ends here
            self.found[kind.full_name].update(self._schema(kind))
        return {"$ref": f"#/components/schemas/{kind.full_name}"}

    def _schema(self, kind: Descriptor | EnumDescriptor) -> Schema:
        if kind.full_name in _WELL_KNOWN:
            return _WELL_KNOWN[kind.full_name]
        if isinstance(kind, EnumDescriptor):
            return self._described(kind.full_name, {"type": "string", "enum": [value.name for value in kind.values]})
        properties = {field.json_name: self._field(field) for field in kind.fields}
        schema = self._described(kind.full_name, {"type": "object", "properties": properties})
        choices = [[field.json_name for field in choice.fields] for choice in kind.oneofs if len(choice.fields) > 1]
        if choices:
            told = " ".join(f"Only one of {', '.join(names)} can be set." for names in choices)
            schema["description"] = f"{schema.get('description', '')} {told}".strip()
        return schema

    def _field(self, field: FieldDescriptor) -> Schema:
        entry = field.message_type
        if entry is not None and entry.GetOptions().map_entry:
            value = self._value(entry.fields_by_name["value"])
            schema: Schema = {"type": "object", "additionalProperties": value}
        elif field.is_repeated:
            schema = {"type": "array", "items": self._value(field)}
        else:
            schema = self._value(field)
        return self._described(field.full_name, schema)

    def _value(self, field: FieldDescriptor) -> Schema:
        kind = field.message_type or field.enum_type
        return dict(_SCALARS[field.type]) if kind is None else self.reference(kind)

    def _described(self, name: str, schema: Schema) -> Schema:
        comment = self._comments.get(name)
        return {**schema, "description": comment} if comment else schema
