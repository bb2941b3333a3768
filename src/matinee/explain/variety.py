"""Explanations of a list: each place takes the most telling reason that is not worn out yet."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from matinee.explain.explanation import Explanation
from matinee.explain.reasons import WornOut

SHARE_OF_LIST = 3  # one reason is given by at most one of so many places


def varied(
    whys: Sequence[Explanation], others: Callable[[Explanation], Iterable[Explanation]]
) -> list[Explanation]:
    """The explanations of a list, so that no reason is given by more than a third of its places.

    Nor is a name given beside another by as many.

    ``others`` are explanations of the same score by other views, for where all reasons are worn
    out. Where those are too, the reason that fewest places have given is given again.
    """
    most = max(1, len(whys) // SHARE_OF_LIST)
    uses: Counter[str] = Counter()
    said: Counter[str] = Counter()
    spoken = []
    for why in whys:
        worn_out = WornOut(given(uses, most), given(said, most))
        versions = (one.without(worn_out) for one in chain([why], others(why)))
        version = next((one for one in versions if one.is_fresh), None)
        if version is None:
            least = min((uses[key] for key in why.possible_keys), default=0)
            version = why.without(worn_out._replace(first=given(uses, least + 1)))
        uses.update(version.reason_keys)
        said.update(version.said_keys)
        spoken.append(version)
    return spoken


def given(uses: Counter[str], often: int) -> frozenset[str]:
    """The keys that were given so often."""
    return frozenset([key for key, n in uses.items() if n >= often])
