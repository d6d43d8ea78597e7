"""Comments of protos, where descriptors carry them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto

# Numbers of the fields by which SourceCodeInfo's paths lead to an element.
_MESSAGE, _ENUM, _SERVICE = 4, 5, 6
_FIELD, _NESTED, _NESTED_ENUM = 2, 3, 4
_METHOD = 2

_Path = tuple[int, ...]


def comments(files: Sequence[FileDescriptorProto]) -> Mapping[str, str]:
    """The leading comments of messages, fields, enums, services and methods by their full names.

    Python's server reflection drops them, others' keep them; so there may be none.
    """
    found: dict[str, str] = {}
    for file in files:
        told = {
            tuple(location.path): location.leading_comments.strip()
            for location in file.source_code_info.location
            if location.leading_comments.strip()
        }
        if told:
            found |= {name: told[path] for name, path in _elements(file) if path in told}
    return found


def _elements(file: FileDescriptorProto) -> Iterator[tuple[str, _Path]]:
    package = f"{file.package}." if file.package else ""
    yield from _children(package, (_MESSAGE,), file.message_type, _message)
    yield from _children(package, (_ENUM,), file.enum_type, _enum)
    for index, service in enumerate(file.service):
        name, path = package + service.name, (_SERVICE, index)
        yield name, path
        for number, method in enumerate(service.method):
            yield f"{name}.{method.name}", (*path, _METHOD, number)


def _children(prefix: str, path: _Path, elements: Sequence[Any], each: Any) -> Iterator[tuple[str, _Path]]:
    for index, element in enumerate(elements):
        yield from each(prefix + element.name, (*path, index), element)


def _message(name: str, path: _Path, message: DescriptorProto) -> Iterator[tuple[str, _Path]]:
    yield name, path
    for index, field in enumerate(message.field):
        yield f"{name}.{field.name}", (*path, _FIELD, index)
    yield from _children(f"{name}.", (*path, _NESTED), message.nested_type, _message)
    yield from _children(f"{name}.", (*path, _NESTED_ENUM), message.enum_type, _enum)


def _enum(name: str, path: _Path, _enum: EnumDescriptorProto) -> Iterator[tuple[str, _Path]]:
    yield name, path
