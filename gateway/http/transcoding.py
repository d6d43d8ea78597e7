"""JSON to protobuf and back, by the descriptors of a service."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, EncodeError, Message

from bankai.errors import FaultError, FieldViolation, InvalidRequestError

Result = TypeVar("Result")

# Beyond this many bytes a message is worked on in a thread: it takes milliseconds in which the loop would stand still.
_LARGE_BYTES = 32 * 1024
_MAX_NAME = 100
# An escape that may be half a character, which protobuf takes badly.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

# What json_format says of a field: the place, which is all that is taken from it, as the rest may quote the value.
_PLACE = re.compile(r' at "?\w+((?:\.\w+|\[\d+\])*)')
_UNKNOWN = re.compile(r'Message type "[^"]*" has no field named "(.*?)" at "\w+((?:\.\w+|\[\d+\])*)', re.DOTALL)
_ONEOF = re.compile(r'multiple "(\w+)" oneof fields')
_OUTER = re.compile(r"Failed to parse (\w+) field: ")


class Transcoder:
    """Turns messages into JSON and back; large ones in a thread of its own, one at a time."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(1, "transcoding")

    async def to_bytes(self, kind: type[Message], pool: DescriptorPool, text: bytes) -> bytes:
        """As `to_bytes`."""
        return await self._run(len(text), lambda: to_bytes(kind, pool, text))

    async def to_json(self, kind: type[Message], pool: DescriptorPool, raw: bytes) -> str:
        """As `to_json`."""
        return await self._run(len(raw), lambda: to_json(kind, pool, raw))

    def close(self) -> None:
        """Ends the thread once it is idle."""
        self._threads.shutdown(wait=False)

    async def _run(self, size: int, work: Callable[[], Result]) -> Result:
        if size <= _LARGE_BYTES:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def to_bytes(kind: type[Message], pool: DescriptorPool, text: bytes) -> bytes:
    """Parses a message from JSON.

    Args:
        kind: Class of the message.
        pool: Where types of google.protobuf.Any are found.
        text: JSON in UTF-8; empty stands for {}.

    Returns:
        The message, serialised.

    Raises:
        InvalidRequestError: JSON_MALFORMED or JSON_INVALID, with the place.
    """
    value = _parsed(text) if text.strip() else {}
    name = kind.DESCRIPTOR.full_name
    if not isinstance(value, dict) and not name.startswith("google.protobuf."):
        raise InvalidRequestError("JSON_INVALID", f"a {name} is a JSON object")
    message = kind()
    try:
        json_format.ParseDict(value, message, descriptor_pool=pool)
        return message.SerializeToString(deterministic=True)  # so that a call that is made again is the same
    except json_format.ParseError as error:
        raise _invalid(str(error), name) from None
    except (ArithmeticError, AttributeError, EncodeError, LookupError, RecursionError, TypeError, ValueError):
        # What json_format lets out where a value of a well-known type has the wrong JSON type.
        raise InvalidRequestError("JSON_INVALID", f"the JSON does not fit {name}") from None


def to_json(kind: type[Message], pool: DescriptorPool, raw: bytes) -> str:
    """Writes a message as JSON on one line, names in lowerCamelCase.

    Args:
        kind: Class of the message.
        pool: Where types of google.protobuf.Any are found.
        raw: The message, serialised.

    Raises:
        FaultError: ANSWER_NOT_JSON.
    """
    try:
        message = kind.FromString(raw)
        return json_format.MessageToJson(message, indent=None, ensure_ascii=False, descriptor_pool=pool)
    except (DecodeError, json_format.SerializeToJsonError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise FaultError(
            "ANSWER_NOT_JSON", f"the answer cannot be told as the JSON of {kind.DESCRIPTOR.full_name}"
        ) from error


def _parsed(text: bytes) -> Any:
    try:
        value = json.loads(text.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise _malformed(f"no UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise _malformed(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeEncodeError:
        raise _malformed("half a surrogate pair is no character") from None
    except RecursionError:
        raise _malformed("it is nested too deeply") from None
    except ValueError:  # an integer of thousands of digits
        raise _malformed("a number is too long") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _count), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise _malformed(f'"{twice[:_MAX_NAME]}" is there twice in an object')
    return found


def _no_constant(name: str) -> float:
    raise _malformed(f'{name} must be quoted: "{name}"')


def _malformed(what: str) -> InvalidRequestError:
    return InvalidRequestError("JSON_MALFORMED", f"this is not valid JSON: {what}")


def _invalid(told: str, name: str) -> InvalidRequestError:
    """The error for JSON that does not fit its message, without any value of the client's."""
    if unknown := _UNKNOWN.search(told):
        field = unknown[1][:_MAX_NAME]
        path = f"{unknown[2]}.{field}".lstrip(".")
        message = f'{name} has no field "{path}"'
        return InvalidRequestError("JSON_INVALID", message, violations=[FieldViolation(path, "no such field")])
    if oneof := _ONEOF.search(told):
        return InvalidRequestError("JSON_INVALID", f'of the fields of "{oneof[1]}" in {name} only one can be set')
    place = _PLACE.search(told)
    path = place[1].lstrip(".") if place else ".".join(_OUTER.findall(told))
    if not path:
        return InvalidRequestError("JSON_INVALID", f"the JSON does not fit {name}")
    what = "does not fit the type of the field"
    return InvalidRequestError("JSON_INVALID", f"{path} of {name} {what}", violations=[FieldViolation(path, what)])
