"""What things cost."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, ValidationError

from bankai.errors import InvalidRequestError
from bankai.settings import Group
from bankai.validation import first_problem

EXAMPLE = Path(__file__).with_name("prices.yaml")

Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Prices(Group):
    core: Price
    memory_gib: Price
    gpu: Price
    storage_gib: Price


def read_prices(file: Path | None = None) -> Mapping[str, float]:
    """A year's price of a `core`, a `memory_gib`, a `gpu` and a `storage_gib`.

    Args:
        file: YAML file; by default an example of no one's prices.

    Raises:
        InvalidRequestError: PRICES_INVALID, it cannot be read or a price is missing.
    """
    file = file or EXAMPLE
    try:
        prices: Mapping[str, float] = _Prices.model_validate(yaml.safe_load(file.read_bytes())).model_dump()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidRequestError("PRICES_INVALID", f"{file} cannot be read as YAML: {type(error).__name__}") from None
    except ValidationError as error:
        raise InvalidRequestError("PRICES_INVALID", f"{file}: {first_problem(error)}") from None
    return prices
