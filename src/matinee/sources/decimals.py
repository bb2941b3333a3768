"""How a column of text writes numbers: what a comma means in ``1,234`` and ``3,5``.

3,5  0,125  1.234,5    a decimal comma
1,234,567  1,234.5     commas between thousands
1,234                  either, so where nothing else tells, it is a question
"""

from typing import NamedTuple

from matinee.errors import BadRatings, BadSetting, Option

THOUSANDS = r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?"
ONLY_THOUSANDS = r"[+-]?[1-9][0-9]{0,2}((,[0-9]{3}){2,}(\.[0-9]+)?|,[0-9]{3}\.[0-9]+)"
COMMA_NUMBER = r"[+-]?[0-9]*,[0-9]+"
DOT_THOUSANDS = r"[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+(,[0-9]+)?"
DOT_THOUSANDS_COMMA = r"[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+,[0-9]+"
MARKS = (".", ",")


class Forms(NamedTuple):
    """How many values of a column have each form."""

    doubtful: int  # 1,234
    thousands: int  # 1,234,567 and 1,234.5
    comma: int  # 3,5
    comma_and_dots: int  # 1.234,5
    dot: int  # 3.5
    example: str | None  # of the doubtful

    @staticmethod
    def sql(text: str) -> str:
        """SQL that counts the forms of a column of text."""
        doubtful = f"regexp_full_match({text}, '{THOUSANDS}')"
        certain = f"regexp_full_match({text}, '{ONLY_THOUSANDS}')"
        comma = f"regexp_full_match({text}, '{COMMA_NUMBER}')"
        dots = f"regexp_full_match({text}, '{DOT_THOUSANDS_COMMA}')"
        mixed = f"contains({text}, '.') AND NOT contains({text}, ',')"
        conditions = (
            f"{doubtful} AND NOT {certain}",
            certain,
            f"{comma} AND NOT {doubtful}",
            dots,
            mixed,
        )
        counts = ", ".join(f"count(*) FILTER ({one})" for one in conditions)
        return f"{counts}, min({text}) FILTER ({doubtful} AND NOT {certain})"


def check_decimal(mark: str | None) -> None:
    """Raise BadSetting unless a decimal mark is a dot or a comma."""
    if mark is not None and mark not in MARKS:
        raise BadSetting(Option("decimal", mark), " is neither . nor ,")


def decimal_mark(forms: Forms, source: str) -> str | None:
    """The decimal mark of a column, or None where no comma matters.

    Raises BadRatings where the values fit both readings, or neither.
    """
    by_comma = forms.comma_and_dots > 0 or (forms.comma > 0 and forms.dot == 0)
    by_dot = forms.thousands > 0 or (forms.doubtful > 0 and forms.dot > 0)
    if by_comma != by_dot:
        return "," if by_comma else "."
    if not by_comma and not forms.doubtful:
        return None
    example = forms.example or "1,234"
    raise BadRatings(
        f"{source}: the rating {example} could be {example.replace(',', '')} or "
        f"{example.replace(',', '.')}; say which mark is the decimal one, ",
        Option("decimal", "."),
        " or ",
        Option("decimal", ","),
    )


def number_text(text: str, mark: str | None) -> str:
    """SQL for the text of a number as DuckDB reads it, from text with a decimal mark."""
    if mark is None:
        return text
    if mark == ".":
        grouped = f"regexp_full_match({text}, '{THOUSANDS}')"
        return f"CASE WHEN {grouped} THEN replace({text}, ',', '') ELSE {text} END"
    grouped = f"regexp_full_match({text}, '{DOT_THOUSANDS}')"
    bare = f"CASE WHEN {grouped} THEN replace({text}, '.', '') ELSE {text} END"
    return f"replace({bare}, ',', '.')"
