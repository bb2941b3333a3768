"""The section on the data."""

from matinee.charts import charts_of_ratings
from matinee.data.describe import Description, day, in_words
from matinee.data.ratings import Ratings
from matinee.display.text import percent
from matinee.report.elements import Block, Facts, Prose, Section
from matinee.report.origins import Origin


def data_section(
    ratings: Ratings, origin: Origin | None, fingerprint: str | None = None
) -> Section:
    """The ratings: figures, charts, what was set aside on reading, and their licence.

    ``fingerprint`` is that of the ratings as read, where ``ratings`` are those that a model keeps:
    it keeps neither times nor origin, of which nothing is said then.
    """
    about = ratings.describe()
    blocks: list[Block] = [
        Facts(facts_of(about) | {"fingerprint": fingerprint or about.fingerprint}),
        *charts_of_ratings(ratings, about),
    ]
    if about.first_time is None and fingerprint is None:
        blocks.append(Prose("The times of the ratings are unknown."))
    if ratings.report is not None:
        blocks += [Prose(line.strip()) for line in str(ratings.report).splitlines()]
    if origin is not None:
        blocks.append(
            Facts({"source": origin.name, "licence": origin.licence, "citation": origin.citation})
        )
    return Section("data", "The data", blocks)


def facts_of(about: Description) -> dict[str, str]:
    """The main figures of a description, by name."""
    has_times = about.first_time is not None and about.last_time is not None
    return {
        "users": f"{about.n_users:,}",
        "items": f"{about.n_items:,}",
        "ratings": f"{about.n_ratings:,}",
        "empty cells": percent(about.sparsity, 2),
        "mean": f"{about.mean:.3f} on {about.scale}",
        "ratings per user": in_words(about.per_user),
        "ratings per item": in_words(about.per_item),
        **(
            {"time": f"{day(about.first_time)} to {day(about.last_time)}"}  # type: ignore[arg-type]
            if has_times
            else {}
        ),
    }
