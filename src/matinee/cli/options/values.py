"""Options that travel together reach a command as one value."""

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


def gathered(
    name: str, kind: "type[DataclassInstance]", *options: Callable[[Any], Any]
) -> Callable[[AnyFunction], AnyFunction]:
    """A decorator that adds ``options`` to a command, which takes them as ``name``, a ``kind``.

    ``kind`` is a dataclass with a field for each option.
    """
    own = [field.name for field in fields(kind)]

    def decorate(command: Any) -> Any:
        @wraps(command)
        def call(**values: Any) -> Any:
            value = kind(**{field: values.pop(field) for field in own})
            return command(**values, **{name: value})

        decorated = call
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate
