"""Where the feedback on a model is."""

from pathlib import Path

from matinee.feedback.store import Store, StoreError


def store_beside(model: Path) -> Path:
    """Where feedback on a model goes unless told otherwise: a file beside its folder."""
    folder = model.resolve()
    return folder.with_name(f"{folder.name}-feedback.sqlite")


def existing_store(model: Path, place: str | None) -> Store:
    """The store at a place, or beside a model. Raises StoreError where there is none."""
    where = place or str(store_beside(model))
    if "://" not in where and not Path(where).is_file():
        raise StoreError(f"there is no feedback store {where}; matinee serve makes one")
    return Store.at(where)
