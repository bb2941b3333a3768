"""Refitting: a new model on the old ratings and later events, with the same settings."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from matinee.algorithms.from_model import algorithm_of, ratings_of
from matinee.data.ids import IdMap
from matinee.data.profiles import Profiles
from matinee.data.ratings import Ratings
from matinee.errors import Advice, MatineeWarning
from matinee.feedback.actions import EVENT_WEIGHTS, weights
from matinee.feedback.catalog_changes import CatalogChanges
from matinee.feedback.change_index import NEVER
from matinee.feedback.history import FEEDBACK_FACT, fitted_through
from matinee.feedback.store import Store
from matinee.models import FactorModel, Model, load
from matinee.models.matching import match_tastes
from matinee.storage.model_files import Replaced, manifest_digest
from matinee.storage.serialization import save_model
from matinee.training.progress import OnEpoch, quiet


def with_events(ratings: Ratings, store: Store, after: int, through: int) -> Ratings:
    """Ratings updated by the events with ``after < seq <= through``; erased users are left out."""
    latest = {(one.user_id, one.item_id): one.rating for one in store.all_events(after, through)}
    erased = erased_users(ratings.users, store, after, through)
    old = ratings.subset(~erased[ratings.user]) if erased.any() else ratings
    remaining = old.users.ids[~erased].tolist()
    users = IdMap.of([*remaining, *(user for user, _ in latest)], "user", old.users.id_type)
    items = IdMap.of([*old.items, *(item for _, item in latest)], "item", old.items.id_type)
    old_user, old_item = users.rows(old.users)[old.user], items.rows(old.items)[old.item]
    new_user = users.rows(user for user, _ in latest)
    new_item = items.rows(item for _, item in latest)
    new_rating = np.array([np.nan if one is None else one for one in latest.values()], np.float32)
    n_items = len(items)
    unchanged = ~np.isin(cells(old_user, old_item, n_items), cells(new_user, new_item, n_items))
    rates = ~np.isnan(new_rating)  # the others take a rating back
    weights = None
    if old.sample_weight is not None:  # what was rated later weighs one
        weights = np.concatenate([old.sample_weight[unchanged], np.ones(np.count_nonzero(rates))])
    return Ratings.of(
        users,
        items,
        np.concatenate([old_user[unchanged], new_user[rates]]),
        np.concatenate([old_item[unchanged], new_item[rates]]),
        np.concatenate([old.rating[unchanged], new_rating[rates]]),
        scale=ratings.scale,
        catalog=ratings.catalog,
        profiles=Profiles({u: ratings.profiles[u] for u in ratings.profiles if u in users}),
        sample_weight=weights,
    )


def erased_users(users: IdMap, store: Store, after: int, through: int) -> np.ndarray:
    """Which users (n_users,) bool were erased by a change with ``after < seq <= through``."""
    erasures = {
        digest for digest, seq in store.changes_since(after).erased.items() if seq <= through
    }
    return np.array([bool(erasures) and store.digest(one) in erasures for one in users], bool)


def with_catalog_changes(ratings: Ratings, changes: CatalogChanges) -> Ratings:
    """Ratings with the new entries of the catalogue, without ratings of deleted items."""
    deleted = np.array([item in changes.deleted for item in ratings.items], bool)
    left = ratings.subset(~deleted[ratings.item]) if deleted.any() else ratings
    return replace(left, catalog=changes.over(left.catalog)) if changes.entries else left


def cells(user: np.ndarray, item: np.ndarray, n_items: int) -> np.ndarray:
    """One number for each pair of a user row and an item row; shape ``(n,)``, int64."""
    numbers: np.ndarray = user.astype(np.int64) * n_items + item
    return numbers


class LaterFeedback(NamedTuple):
    """What came to a store after the fit of a model."""

    n_events: int  # ratings, and what counts as a rating
    n_erased: int  # users of the model who were erased

    def suffices(self, min_events: int) -> bool:
        """Whether a refit is due: for so many events, or to leave an erased user out."""
        return self.n_events >= min_events or self.n_erased > 0


def later_feedback(model: Model, store: Store) -> LaterFeedback:
    """What a store has that a model was not fitted on. Raises StoreError."""
    through = fitted_through(model, store.name)
    erased = erased_users(model.users, store, through, store.seq())
    return LaterFeedback(store.count(through), int(np.count_nonzero(erased)))


def refit(
    model: Model, store: Store, ratings: Ratings | None = None, on_epoch: OnEpoch = quiet
) -> Model:
    """A model fitted on old ratings and all events until now, with the settings of ``model``.

    The old ratings are those stored in the model, and the events are those since its fit. With
    ``ratings`` they are these, and the events are all in the store. The new model records the last
    event it was fitted on, so that a server adds only later ones, and what each kind counted as.
    Erased users are left out in both cases, and so are deleted items. Names of tastes are
    transferred to matching tastes. Raises MatineeError as ``fit``.
    """
    through = store.seq()
    after = fitted_through(model, store.name) if ratings is None else NEVER
    old = ratings_of(model) if ratings is None else ratings
    train = with_catalog_changes(with_events(old, store, after, through), store.catalog())
    fitted = algorithm_of(model).fit(train, on_epoch=on_epoch)
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
    counted_as = weights(model.scale, model.kind == "rating")
    fact = {"store": store.name, "through": through, EVENT_WEIGHTS: counted_as}
    return with_taste_names(model, replace(fitted, facts={**fitted.facts, FEEDBACK_FACT: fact}))


def with_taste_names(model: Model, fitted: Model) -> Model:
    """A refitted model whose tastes carry the names of the matching tastes of the old model.

    Warns of each named taste without a match.
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
    """Save a refitted model, by default over the model that it was refitted from.

    ``replaced`` is the digest of that model's manifest; None for any other folder. Tastes that were
    renamed during the fit keep their new names. Raises MatineeError as ``save``.
    """
    while True:
        try:
            save_model(fitted, path, replaced)
            return
        except Replaced:
            replaced = manifest_digest(path)
            fitted = with_taste_names(load(path), fitted)
