"""Where lists may be: Parquet, or PostgreSQL by URL."""

from pathlib import Path

from matinee.list_store.database_lists import DatabaseLists
from matinee.list_store.parquet_lists import ParquetLists
from matinee.list_store.stored_list import ListStore, is_database


def open_lists(place: str, fingerprint: str) -> ListStore:
    """The lists at a place, of the model with a fingerprint. Raises BadLists for all others."""
    if is_database(place):
        return DatabaseLists.open(place, fingerprint)
    return ParquetLists.open(Path(place), fingerprint)
