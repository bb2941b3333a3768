"""The model card: what it is, what it is for, and what one should know before trusting it."""

from collections.abc import Sequence

import numpy as np

from matinee.display.tables import show
from matinee.display.text import counted
from matinee.evaluation.results import versions
from matinee.models import Model
from matinee.report.elements import Block, Facts, Points, Section

USERS_SAMPLED = 200  # whose lists are counted, evenly spread over all
LIST_LENGTH = 10
POPULAR = 10  # the most rated n-th of the items


def card_section(model: Model) -> Section:
    """Settings, versions, intended use, limits and known biases."""
    settings = {name: _setting(value) for name, value in model.settings.items()}
    blocks: list[Block] = [
        Facts(
            {
                "algorithm": model.algorithm,
                "scores are": "ratings in stars" if model.kind == "rating" else "for ranking only",
                "users": f"{len(model.users):,}",
                "items": f"{len(model.items):,}",
                "scale": model.scale,
                "data fingerprint": model.data_fingerprint,
                "seed": settings.get("seed", "none: nothing in it is random"),
            }
        ),
        Facts(settings or {"settings": "none"}),
        Facts({f"{name} version": version for name, version in versions().items()}),
        Points("Intended use", INTENDED),
        Points("Limits", limits_of(model)),
        Points("Known biases", biases_of(model)),
    ]
    return Section("card", "Model card", blocks)


INTENDED = (
    "To suggest items to people whose ratings it was fitted on, or who give a few of their own.",
    "To say why: for each score, in terms that add up to it.",
    "Not for decisions about people, such as who is offered work, credit or housing.",
)


def limits_of(model: Model) -> list[str]:
    """What the model cannot do, in sentences."""
    cold = int((model.item_counts == 0).sum())
    limits = [
        _known_of_people(model),
        "A score is an estimate. What nobody like you has rated, it can only guess.",
        "Reasons say how the score comes about in the model; they are not causes in the world.",
    ]
    if model.kind == "preference":
        limits.append("Its scores only rank; they are not predicted ratings.")
    if cold:
        limits.append(f"{counted(cold, 'item')} without a rating: scored as the average item.")
    return limits


def _known_of_people(model: Model) -> str:
    if getattr(model, "profile_map", None):
        return "It knows people by their ratings; what they told of themselves serves newcomers."
    return "It knows nothing of who people are but how they rated."


def biases_of(model: Model) -> list[str]:
    """What one finds when looking at the data and at many lists."""
    counts = model.item_counts
    rated = np.flatnonzero(counts)
    order = rated[np.argsort(-counts[rated], kind="stable")]
    popular = order[: max(len(order) // POPULAR, 1)]
    in_data = counts[popular].sum() / counts.sum()
    lists = lists_of(model)
    in_lists = float(np.isin(lists, popular).mean()) if len(lists) else 0.0
    different = len(np.unique(lists))
    users = np.sort(model.seen.counts)[::-1]
    active = users[: max(len(users) // POPULAR, 1)].sum() / users.sum()
    return [
        f"Popularity: the most rated tenth of the items has {in_data:.0%} of the ratings and "
        f"{in_lists:.0%} of the places in lists of {LIST_LENGTH}.",
        f"Coverage: the lists of {counted(len(sampled_users(model)), 'person')}, evenly spread "
        "over all, name "
        f"{different:,} of {counted(len(rated), 'item')}.",
        f"Activity: the most active tenth of the people gave {active:.0%} of the ratings, so the "
        "model is fitted more to them than to others.",
        "Selection: people rate what they chose to see, and mostly what they like. Ratings that "
        "were never given are not like those that were.",
    ]


def sampled_users(model: Model) -> np.ndarray:
    """Rows of users, evenly spread over those with ratings."""
    rated = np.flatnonzero(model.seen.counts)
    place = np.linspace(0, len(rated) - 1, min(USERS_SAMPLED, len(rated))).round().astype(int)
    rows: np.ndarray = rated[place]
    return rows


def lists_of(model: Model) -> np.ndarray:
    """Rows of the items on the lists of many people, one after the other."""
    people: Sequence[str] = model.users.ids[sampled_users(model)].tolist()
    rows: np.ndarray = model.items.rows(model.recommend(people, LIST_LENGTH).item_id)
    return rows


def _setting(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else show(value)
