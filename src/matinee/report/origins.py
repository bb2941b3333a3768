"""Where data are from, on what terms, and how to cite them, where Matinee knows it."""

from dataclasses import dataclass

from matinee.data.ratings import Ratings

MOVIELENS = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
    "ACM Transactions on Interactive Intelligent Systems 5, 4, Article 19."
)
NOT_PASSED_ON = (
    "For research; not to be passed on without separate permission, and no commercial use without "
    "permission (the README of the data set)."
)
PASSED_ON_ALIKE = (
    "May be passed on under the same conditions; no commercial use without permission (the README "
    "of the data set)."
)


@dataclass(frozen=True)
class Origin:
    """What is known of where ratings are from."""

    name: str
    licence: str
    citation: str


UNKNOWN = Origin("not told", "not told: see where the data are from", "not told")
SAMPLE = Origin(
    "the sample of Matinee",
    "The films are real, the people and their ratings are simulated; it comes with Matinee, under "
    "the Apache License 2.0.",
    "Matinee; see CITATION.cff",
)
KNOWN = {
    "MovieLens 100K": Origin("MovieLens 100K", NOT_PASSED_ON, MOVIELENS),
    "MovieLens 1M": Origin("MovieLens 1M", NOT_PASSED_ON, MOVIELENS),
    "MovieLens 10M": Origin("MovieLens 10M", NOT_PASSED_ON, MOVIELENS),
    "MovieLens CSV": Origin("MovieLens, as CSV", PASSED_ON_ALIKE, MOVIELENS),
}


def origin_of(ratings: Ratings | None) -> Origin:
    """The origin of some ratings, by how they were read."""
    if ratings is None:
        return UNKNOWN
    if ratings.report is None:
        return UNKNOWN
    return KNOWN.get(ratings.report.format) or Origin(
        ratings.report.source, UNKNOWN.licence, UNKNOWN.citation
    )
