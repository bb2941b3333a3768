"""Explanations of a list: each place takes the most telling reason that is not worn out yet."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from matinee.explain.explanation import Explanation

SHARE_OF_LIST = 3  # one reason is given by at most one of so many places


def varied(
    whys: Sequence[Explanation], others: Callable[[Explanation], Iterable[Explanation]]
) -> list[Explanation]:
    """The explanations of a list, so that no reason is given by more than a third of its places.

    ``others`` are explanations of the same score by other views, for where all reasons are worn
    out. Where those are too, the reason that fewest places have given is given again.
    """
    most = max(1, len(whys) // SHARE_OF_LIST)
    uses: Counter[str] = Counter()
    spoken = []
    for why in whys:
        worn_out = frozenset([key for key, n in uses.items() if n >= most])
        versions = (one.without(worn_out) for one in chain([why], others(why)))
        version = next((one for one in versions if one.is_fresh), None)
        if version is None:
            least = min((uses[key] for key in why.possible_keys), default=0)
            version = why.without(frozenset([key for key, n in uses.items() if n > least]))
        uses.update(version.reason_keys)
        spoken.append(version)
    return spoken
