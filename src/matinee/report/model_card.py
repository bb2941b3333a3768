"""The model card: settings, intended use, limits and known biases."""

from collections.abc import Mapping, Sequence

import numpy as np

from matinee.display.tables import show
from matinee.display.text import counted, percent
from matinee.evaluation.popular_lists import sampled_users
from matinee.evaluation.results import versions
from matinee.models import Model
from matinee.report.elements import Block, Facts, Points, Section

LIST_LENGTH = 10
TENTH = 10  # one in so many items is popular, and users active


def card_section(model: Model) -> Section:
    """Settings, versions, intended use, limits and known biases."""
    settings = {name: _setting(value) for name, value in model.settings.items() if name != "seed"}
    blocks: list[Block] = [
        Facts(
            {
                "algorithm": model.algorithm,
                "scores are": "ratings in stars" if model.kind == "rating" else "for ranking only",
                "users": f"{len(model.users):,}",
                "items": f"{len(model.items):,}",
                "scale": model.scale,
                "data fingerprint": model.data_fingerprint,
                "seed": model.settings.get("seed", "none: the fit is deterministic"),
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
    "To recommend items to people whose ratings it was fitted on, or who give a few of their own.",
    "To explain each score by terms that add up to it.",
    "Not for decisions about people, such as who is offered work, credit or housing.",
)


def limits_of(model: Model) -> list[str]:
    """What the model cannot do, as sentences."""
    cold = int((model.item_counts == 0).sum())
    limits = [
        _people_sentence(model),
        "A score is an estimate. For items that nobody like you has rated, it is a guess.",
        "Reasons describe how the model computes a score; they are not causes in the world.",
    ]
    if model.kind == "preference":
        limits.append("Its scores only rank; they are not predicted ratings.")
    if cold:
        limits.append(f"{counted(cold, 'item')} without a rating: scored as the average item.")
    return limits


def _people_sentence(model: Model) -> str:
    if getattr(model, "profile_map", None):
        return "It knows people by their ratings. Facts about newcomers help at first."
    return "It knows people by their ratings alone."


def biases_of(model: Model) -> list[str]:
    """The biases of the data, and of a sample of lists, as sentences."""
    counts = model.item_counts
    rated = np.flatnonzero(counts)
    order = rated[np.argsort(-counts[rated], kind="stable")]
    popular = order[: max(len(order) // TENTH, 1)]
    in_data = counts[popular].sum() / counts.sum()
    lists = lists_of(model)
    in_lists = float(np.isin(lists, popular).mean()) if len(lists) else 0.0
    different = len(np.unique(lists))
    users = np.sort(model.seen.counts)[::-1]
    active = users[: max(len(users) // TENTH, 1)].sum() / users.sum()
    return [
        f"Popularity: the most rated tenth of the items has {percent(in_data)} of the ratings and "
        f"{percent(in_lists)} of the places in lists of {LIST_LENGTH}.",
        f"Coverage: the lists of {counted(len(sampled_users(model)), 'person')}, sampled evenly, "
        f"name {different:,} of {counted(len(rated), 'item')}.",
        f"Activity: the most active tenth of the people gave {percent(active)} of the ratings, so "
        "the model is fitted more to them than to others.",
        "Selection: people rate what they chose to see, and mostly what they like. Items without a "
        "rating of a person differ from those with one.",
    ]


def lists_of(model: Model) -> np.ndarray:
    """Row numbers (n,) of the items on the lists of the sampled users, list after list."""
    people: Sequence[str] = model.users.ids[sampled_users(model)].tolist()
    rows: np.ndarray = model.items.rows(model.recommend(people, LIST_LENGTH).item_id)
    return rows


def _setting(value: object) -> str:
    """A setting in words; an algorithm is its name, and those of its settings that are given."""
    if isinstance(value, list | tuple):
        return "; ".join(map(_setting, value))
    if isinstance(value, Mapping):
        name, *settings = [
            word if key == "algorithm" else f"{key} {word}"
            for key, one in value.items()
            if one is not None and (word := _setting(one))
        ]
        return ", ".join([name, *settings])
    return f"{value:g}" if isinstance(value, float) else show(value)
