"""The origin, licence and citation of known data sets."""

from dataclasses import dataclass

from matinee.data.ratings import Ratings

MOVIELENS = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
    "ACM Transactions on Interactive Intelligent Systems 5, 4, Article 19."
)
NOT_REDISTRIBUTABLE = (
    "For research. Redistribution and commercial use need separate permission (see the README of "
    "the data set)."
)
SHARE_ALIKE = (
    "May be redistributed under the same conditions. Commercial use needs permission (see the "
    "README of the data set)."
)


@dataclass(frozen=True)
class Origin:
    """The origin of ratings, in words."""

    name: str
    licence: str
    citation: str


UNKNOWN = Origin("unknown", "unknown: see the source of the data", "unknown")
SAMPLE = Origin(
    "the sample of Matinee",
    "The films are real; the people and their ratings are simulated. Distributed with Matinee "
    "under the Apache License 2.0.",
    "Matinee; see CITATION.cff",
)
KNOWN = {
    "MovieLens 100K": Origin("MovieLens 100K", NOT_REDISTRIBUTABLE, MOVIELENS),
    "MovieLens 1M": Origin("MovieLens 1M", NOT_REDISTRIBUTABLE, MOVIELENS),
    "MovieLens 10M": Origin("MovieLens 10M", NOT_REDISTRIBUTABLE, MOVIELENS),
    "MovieLens CSV": Origin("MovieLens, as CSV", SHARE_ALIKE, MOVIELENS),
}


def origin_of(ratings: Ratings) -> Origin:
    """The origin of ratings, from the format and the source they were read from."""
    if ratings.report is None:
        return UNKNOWN
    return KNOWN.get(ratings.report.format) or Origin(
        ratings.report.source, UNKNOWN.licence, UNKNOWN.citation
    )
