"""Numbers as options take them: one outside its limits is refused with these, in words."""

from math import isnan, nan
from typing import Any

import click


class Whole(click.IntRange):
    """A whole number within limits."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            limits = in_words("a whole number", self)
            raise click.BadParameter(f"it is {value}; give {limits}", ctx, param) from None


class Real(click.FloatRange):
    """A number within limits, which NaN is not."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            number = super().convert(value, param, ctx)
        except click.BadParameter:
            number = nan
        if isnan(number):
            limits = in_words("a number", self)
            raise click.BadParameter(f"it is {value}; give {limits}", ctx, param)
        return number


def in_words(noun: str, limits: click.IntRange | click.FloatRange) -> str:
    """What lies within limits: ``a whole number from 1 to 10``, ``a number above 0``."""
    if limits.min is None:
        return noun
    if limits.max is None:
        return f"{noun} {'above' if limits.min_open else 'of at least'} {limits.min}"
    between = "above {} and below {}" if limits.min_open else "from {} to {}"
    return f"{noun} {between.format(limits.min, limits.max)}"
