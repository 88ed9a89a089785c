"""Values with some of their fields changed, whichever kind of value they are."""

import dataclasses
from typing import Any, TypeVar, cast

from msgspec import Struct, structs

Value = TypeVar("Value")


def replace(value: Value, /, **changes: Any) -> Value:
    """A copy with other values in these fields; `value` is a Struct or a dataclass."""
    if isinstance(value, Struct):
        return structs.replace(value, **changes)
    return cast("Value", dataclasses.replace(cast("Any", value), **changes))
