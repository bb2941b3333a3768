"""A new model from old ratings and later events, with the settings of the old one."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from matinee.algorithms.from_model import algorithm_of, ratings_of
from matinee.data.ids import IdMap
from matinee.data.profiles import Profiles
from matinee.data.ratings import Ratings
from matinee.errors import Advice, MatineeWarning
from matinee.feedback.changes import NEVER
from matinee.feedback.history import FACT, through_of
from matinee.feedback.store import Store
from matinee.models import FactorModel, Model, load
from matinee.models.matching import match_tastes
from matinee.models.serialization import save_model
from matinee.models.storage import Replaced, manifest_digest
from matinee.training.progress import OnEpoch, quiet


def with_events(ratings: Ratings, store: Store, after: int, through: int) -> Ratings:
    """Ratings and, on top, the events in a span of numbers, without the users erased in it."""
    latest = {(one.user_id, one.item_id): one.rating for one in store.all_events(after, through)}
    gone = {digest for digest, seq in store.news().erased.items() if after < seq <= through}
    erased = np.array([bool(gone) and store.digest(one) in gone for one in ratings.users], bool)
    old = ratings.subset(~erased[ratings.user]) if erased.any() else ratings
    stay = old.users.ids[~erased].tolist()
    users = IdMap.of([*stay, *(user for user, _ in latest)], "user")
    items = IdMap.of([*old.items, *(item for _, item in latest)], "item")
    old_user, old_item = users.rows(old.users)[old.user], items.rows(old.items)[old.item]
    new_user = users.rows(user for user, _ in latest)
    new_item = items.rows(item for _, item in latest)
    given = np.array([np.nan if one is None else one for one in latest.values()], np.float32)
    n_items = len(items)
    keep = ~np.isin(cells(old_user, old_item, n_items), cells(new_user, new_item, n_items))
    stays = ~np.isnan(given)  # the others take a rating back
    return Ratings.of(
        users,
        items,
        np.concatenate([old_user[keep], new_user[stays]]),
        np.concatenate([old_item[keep], new_item[stays]]),
        np.concatenate([old.rating[keep], given[stays]]),
        scale=ratings.scale,
        catalog=ratings.catalog,
        profiles=Profiles({u: ratings.profiles[u] for u in ratings.profiles if u in users}),
    )


def cells(user: np.ndarray, item: np.ndarray, n_items: int) -> np.ndarray:
    """One number for each (user, item) pair of rows."""
    numbers: np.ndarray = user.astype(np.int64) * n_items + item
    return numbers


def refit(
    model: Model, store: Store, ratings: Ratings | None = None, on_epoch: OnEpoch = quiet
) -> Model:
    """A model of old ratings and all events until now, with the settings of ``model``.

    The old ratings are those that the model remembers, with the events it does not know yet; or
    ``ratings``, with every event there is. It notes the last event it knows, so that a server
    counts only later ones on top. Erased users are left out, in either case. Names given to tastes
    go over to the tastes that live on.
    """
    through = store.seq()
    after = through_of(model, store.name) if ratings is None else NEVER
    known = with_events(ratings_of(model) if ratings is None else ratings, store, after, through)
    fitted = algorithm_of(model).fit(known, on_epoch=on_epoch)
    if getattr(model, "profile_map", None) and not getattr(fitted, "profile_map", None):
        warnings.warn(
            MatineeWarning(
                "the old model knew people's features and the new one does not, as the model "
                "keeps ratings alone; give the data again (",
                Advice("ratings=...", "--data"),
                ")",
            ),
            stacklevel=2,
        )
    fact = {"store": store.name, "through": through}
    return with_taste_names(model, replace(fitted, facts={**fitted.facts, FACT: fact}))


def with_taste_names(model: Model, fitted: Model) -> Model:
    """A refitted model, its tastes named as the same tastes of the old one are.

    Warns of each name whose taste has no like in the new model.
    """
    if not isinstance(model, FactorModel) or not model.taste_notes.names:
        return fitted
    matches = match_tastes(model, fitted)
    for one in matches.lost:
        warnings.warn(
            f"the new model has no taste like {one.old.name!r} (the most similar one has "
            f"{one.similarity:.2f}), so that name is lost",
            stacklevel=3,
        )
    return matches.named()


def save_refitted(fitted: Model, path: Path, replaced: str | None) -> None:
    """Write a refitted model in the place of the model that it was refitted from.

    ``replaced`` is the digest of that model's manifest; None where the place is another. Tastes
    that were renamed while it was fitted keep their new names. Raises MatineeError as ``save``.
    """
    while True:
        try:
            save_model(fitted, path, replaced)
            return
        except Replaced:
            replaced = manifest_digest(path)
            fitted = with_taste_names(load(path), fitted)
