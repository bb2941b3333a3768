"""A model that answers for a catalogue that has changed since its fit."""

from dataclasses import fields, replace
from typing import TypeVar

from matinee.data.catalog import Catalog
from matinee.feedback.catalog_changes import CatalogChanges
from matinee.models import Model
from matinee.models.choice import ChoicePart
from matinee.models.hybrid import HybridModel
from matinee.server.snapshot import ModelSnapshot

M = TypeVar("M", bound=Model)


def overlaid(base: ModelSnapshot, changes: CatalogChanges) -> ModelSnapshot:
    """The snapshot of the same model with the changes to its catalogue.

    Scores of the items that it was fitted on are the same to the bit. New items are left out where
    the model cannot know them.
    """
    if not changes.changes:
        return base
    model, entries = base.model, changes.entries
    known = {item: entry for item, entry in entries.items() if item in model.items}
    new = {item: entry for item, entry in entries.items() if item not in model.items}
    if known:
        model = with_catalog(model, Catalog({**model.catalog.entries, **known}))
    if new and isinstance(model, HybridModel) and takes_items(model):
        model = model.with_items(Catalog(new))
    snapshot = replace(base, model=model, hidden=changes.hidden)
    snapshot.warm_up()
    return snapshot


def takes_items(model: Model) -> bool:
    """Whether a model can score items without ratings, in lists too."""
    if not isinstance(model, HybridModel):
        return False
    choice = model.choice
    return choice is None or (
        isinstance(choice, ChoicePart) and isinstance(choice.model, HybridModel)
    )


def with_catalog(model: M, catalog: Catalog) -> M:
    """The same model with another catalogue; what does not depend on it stays computed."""
    changed = replace(model, catalog=catalog)
    own = {one.name for one in fields(model)} | {"item_genres", "columns", "features", "ranker"}
    vars(changed).update({name: one for name, one in vars(model).items() if name not in own})
    return changed
