"""The features of items that an algorithm can learn from: those that rated items share."""

from matinee.data.features import Vocabulary
from matinee.data.ratings import Ratings
from matinee.errors import BadSetting, Option


def vocabulary_of(train: Ratings, name: str) -> Vocabulary:
    """The features that items with ratings share. Raises BadSetting when there are none."""
    rated = train.items.ids[train.by_item.counts > 0].tolist()
    vocabulary = Vocabulary.of(train.catalog, rated)
    if len(vocabulary) < 2:
        known = sum(one in train.catalog for one in rated)
        raise BadSetting(
            f"{name} learns from what is known of items, and the catalogue tells nothing that two "
            f"of the {len(rated):,} rated items share (it knows {known:,} of them); give genres, "
            "people or texts, in a catalog (",
            Option("catalog", ...),
            ")",
        )
    return vocabulary
