"""Messages that are no messages, or say what no client means, for methods that exist."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message

_TEXTS = ("", "x", "查余额", "\x00", "a" * 5000, "../../etc/passwd", "zh", "en", "1", "-1", "𠮷", "2023-01-01", "{}")
_INTEGERS = (0, 1, 2, 7, 1000, 2**31 - 1)
_FLOATS = (0.0, 1.0, -1.0, 1e308, float("nan"), float("inf"))
_DEPTH = 4

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Method:
    """A method to be called.

    Attributes:
        path: Its full path.
        request: What it takes.
        request_streaming: Whether it takes a stream.
        response_streaming: Whether it answers a stream.
    """

    path: str
    request: Descriptor
    request_streaming: bool
    response_streaming: bool


def method_of(descriptor: MethodDescriptor) -> Method:
    """The method that a descriptor describes."""
    path = f"/{descriptor.containing_service.full_name}/{descriptor.name}"
    return Method(path, descriptor.input_type, descriptor.client_streaming, descriptor.server_streaming)


def messages(chance: random.Random, method: Method) -> Sequence[bytes]:
    """The messages of one call."""
    count = chance.randint(0, 5) if method.request_streaming else 1
    return [_raw(chance, method.request) for _ in range(count)]


def _raw(chance: random.Random, descriptor: Descriptor) -> bytes:
    if chance.random() < 0.2:
        return chance.randbytes(chance.choice((0, 1, 2, 10, 200)))
    raw = bytearray(random_message(chance, descriptor).SerializeToString())
    if raw and chance.random() < 0.4:
        for _ in range(chance.randint(1, 3)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw)


def random_message(chance: random.Random, descriptor: Descriptor, depth: int = 0) -> Message:
    """A message whose every field may say anything that its type allows."""
    message: Message = message_factory.GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if chance.random() < 0.5 or (field.type == FieldDescriptor.TYPE_MESSAGE and depth >= _DEPTH):
            continue
        if field.type == FieldDescriptor.TYPE_MESSAGE and _of(field.message_type).GetOptions().map_entry:
            continue
        if field.is_repeated:
            values = [_value(chance, field, depth) for _ in range(chance.randint(0, 3))]
            getattr(message, field.name).extend(values)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            getattr(message, field.name).CopyFrom(_value(chance, field, depth))
        else:
            setattr(message, field.name, _value(chance, field, depth))
    return message


def _value(chance: random.Random, field: FieldDescriptor, depth: int) -> Any:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            return (
                chance.randbytes(chance.choice((0, 5, 300)))
                if field.type == FieldDescriptor.TYPE_BYTES
                else (chance.choice(_TEXTS))
            )
        case FieldDescriptor.CPPTYPE_BOOL:
            return chance.random() < 0.5
        case FieldDescriptor.CPPTYPE_ENUM:
            return chance.choice([value.number for value in _of(field.enum_type).values] + [9999])
        case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_FLOAT:
            return chance.choice(_FLOATS)
        case FieldDescriptor.CPPTYPE_MESSAGE:
            return random_message(chance, _of(field.message_type), depth + 1)
        case _:
            return chance.choice(_INTEGERS)


def _of(kind: Kind | None) -> Kind:
    assert kind is not None, "a field of messages or enums names their type"
    return kind
