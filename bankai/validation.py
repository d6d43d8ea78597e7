"""What pydantic found wrong, in a sentence for people."""

from pydantic import ValidationError


def first_problem(error: ValidationError) -> str:
    """Where the first thing stands that is wrong, and what is wrong with it; quotes no value."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where + ': ' if where else ''}{first['msg'].removeprefix('Value error, ')}"
