"""The algorithm for ratings that nobody has chosen one for."""

import warnings

from matinee.algorithms.base import Algorithm
from matinee.algorithms.blend import Blend
from matinee.algorithms.implicit_als import ImplicitALS
from matinee.algorithms.mf import MF
from matinee.algorithms.registry import choose_one
from matinee.algorithms.slim import SLIM
from matinee.data.packed import PackedRatings
from matinee.data.ratings import Ratings, check_ratings
from matinee.display.text import counted, listed
from matinee.errors import MatineeWarning, Option, known_arguments
from matinee.models.model import Model
from matinee.training.progress import OnEpoch, quiet

MOST_ITEMS_OF_EASE = 5_000  # whose fit inverts a matrix of all pairs of items
MOST_ITEMS_OF_SLIM = 10_000  # whose fit counts all pairs of items
FEWEST_RATINGS = 1_000  # for a blend, whose weights are fitted on a tenth of them
FEWEST_TO_LEARN = 50  # ratings; of fewer nobody can tell a slip from the scale either
LOWEST = 0.15  # target of the lowest rating where choices are learned

CHOOSERS = SLIM(lowest=LOWEST), ImplicitALS(lowest=LOWEST)  # both take stars in
BLENDED = "ease", "implicit-als"
BLENDED_FOR_MANY = "slim", "implicit-als", "rp3beta"  # items

IN_WORDS = (  # what ``default_algorithm`` decides, for people
    f"mf for stars, with choices by {listed([one.name for one in CHOOSERS])}; for counts and "
    f"choices a blend of {listed(BLENDED)}, above {counted(MOST_ITEMS_OF_EASE, 'item')} of "
    f"{listed(BLENDED_FOR_MANY)}; above {counted(MOST_ITEMS_OF_SLIM, 'item')} and "
    f"below {counted(FEWEST_RATINGS, 'rating')}, {CHOOSERS[-1].name} alone in the place of several"
)


@known_arguments
def default_algorithm(ratings: Ratings | PackedRatings) -> Algorithm:
    """The algorithm that lists best what people choose next, by the kind of the ratings.

    Stars are learned by ``MF``, and the choices for its lists by ``SLIM`` and ``ImplicitALS``, or
    by the latter alone above 10,000 items and below 1,000 ratings. Counts and bare choices
    (``ratings.signal``) are learned by a ``Blend``: of ``EASE`` and ``ImplicitALS``, and above
    5,000 items of ``SLIM``, ``ImplicitALS`` and ``RP3beta``. Above 10,000 items, and below 1,000
    ratings, ``ImplicitALS`` learns them alone. Packed ratings are stars unless their scale is a
    single value.
    """
    if isinstance(ratings, PackedRatings):
        return ImplicitALS() if ratings.scale.low == ratings.scale.high else MF()
    alone = ratings.n_items > MOST_ITEMS_OF_SLIM or len(ratings) < FEWEST_RATINGS
    if ratings.signal.graded:
        return MF(choice=CHOOSERS[-1:] if alone else CHOOSERS)
    if alone:
        return ImplicitALS()
    return Blend(of=BLENDED_FOR_MANY if ratings.n_items > MOST_ITEMS_OF_EASE else BLENDED)


def warn_of_few(ratings: Ratings) -> None:
    """Warn where ratings are too few to learn anything of a person from, or their own scale."""
    if len(ratings) >= FEWEST_TO_LEARN:
        return
    warnings.warn(
        MatineeWarning(
            f"{counted(len(ratings), 'rating')} by {counted(ratings.n_users, 'user')} are too few "
            f"to learn anything personal from: bring at least {FEWEST_TO_LEARN}, better thousands. "
            f"Their scale is taken to be {ratings.scale}; where it is another, give ",
            Option("scale", ...),
        ),
        stacklevel=4,  # where fit is called
    )


@known_arguments
def fit(
    ratings: Ratings,
    algorithm: object = None,
    *,
    validation: Ratings | None = None,
    on_epoch: OnEpoch = quiet,
) -> Model:
    """The model of some ratings, by ``default_algorithm`` or by an algorithm or its name.

    Warns of ratings that are too few to learn from. Raises BadRatings for what is not ``Ratings``,
    and BadSetting for an unknown name.
    """
    check_ratings("fit", ratings)
    warn_of_few(ratings)
    learner = default_algorithm(ratings) if algorithm is None else choose_one(algorithm)
    return learner.fit(ratings, validation, on_epoch)
