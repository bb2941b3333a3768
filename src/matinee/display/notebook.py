"""What a notebook shows of a value that prints as lines of text."""

from matinee.display.markup import el


class InNotebook:
    """Parent of values whose text stands in a notebook as it is printed."""

    def _repr_html_(self) -> str:
        return el("pre", str(self))
