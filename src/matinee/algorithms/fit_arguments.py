"""What a fit is given, looked at in one place before any algorithm begins."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from matinee.data.ratings import check_ratings
from matinee.display.steps import quiet
from matinee.errors import Advice, BadSetting, offered

Fit = Callable[..., Any]

DEVICE = Advice(
    'with matinee.on_device("gpu"): around the fit chooses where it computes',
    "--device gpu chooses where a command computes",
)
ELSEWHERE: dict[str, str | Advice] = {  # what other libraries give to a fit, and where it goes here
    "sample_weight": "weights go with the ratings: ratings.with_sample_weight(weights)",
    "y": "the ratings hold their own values: matinee.read_ratings((users, items, y))",
    "catalog": "a catalogue goes with the ratings: ratings.with_catalog(catalog)",
    "device": DEVICE,
    "callback": "a function that is called after each epoch is on_epoch",
}


def checked(fit: Fit) -> Fit:
    """``fit``, a method of an algorithm, which first refuses arguments that cannot be.

    Its ``Algorithm.check_train`` says which ratings it can learn from.
    """
    signature = inspect.signature(fit)
    known = [name for name in signature.parameters if name != "self"]

    @wraps(fit)
    def checked_fit(algorithm: Any, *ordered: object, **named: object) -> Any:
        for name in named:
            if name not in known:
                there = ELSEWHERE.get(name)
                ending = ("; ", there) if there else (offered(name, known, "it has"),)
                raise BadSetting(f"fit of {algorithm.name} has no argument {name!r}", *ending)
        given = signature.bind(algorithm, *ordered, **named).arguments
        algorithm.check_train(given["train"])
        check_others(given)
        return fit(algorithm, *ordered, **named)

    return checked_fit


def check_others(given: Mapping[str, Any]) -> None:
    """Raise BadRatings or BadSetting for a validation part or a callback that is none."""
    validation, on_epoch = given.get("validation"), given.get("on_epoch", quiet)
    if validation is not None:
        check_ratings("validation of fit", validation)
    if not callable(on_epoch):
        raise BadSetting(
            f"on_epoch is {on_epoch!r}; it must be a function of one Epoch, or left out"
        )
