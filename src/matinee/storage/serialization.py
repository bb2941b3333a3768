"""A model as plain JSON data and named arrays, by walking the fields of its values, and back.

Every dataclass or named tuple becomes ``{"$type": its name, field: value, ...}``, every array the
name of an array in the folder. Reading makes only values of the types it is given, so a folder is
data and never code. Ids, training ratings and the catalogue keep the packed form of their own, and
the models of a blend share those of the blend.
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Protocol, get_origin, get_type_hints

import numpy as np

import matinee
from matinee.data.catalog import Catalog
from matinee.data.ids import IdMap, check_ids
from matinee.data.packed import PackedRows, rows_of
from matinee.data.rows import Rows
from matinee.data.texts import Texts
from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.storage.model_files import write_folder
from matinee.storage.tensors import Stacked, StoredArray

TYPE, ARRAY, PAIRS = "$type", "$array", "$pairs"
# What may stand where a field is of some type: JSON writes 1.0 as 1 elsewhere, rows may be packed.
ALLOWED: dict[type, tuple[type, ...]] = {
    float: (float, int),
    np.ndarray: (np.ndarray, Stacked),
    Rows: (Rows, PackedRows),
}
IDS, SHARED, COMPUTED = "$ids", "$shared", "$computed"
# What the arrays of a field are named for, where that is not the field itself.
PREFIXES = {"user_embeddings": "user", "item_embeddings": "item"}


class Storable(Protocol):
    """A dataclass that can be stored with some of its cached properties."""

    @property
    def precomputed(self) -> tuple[str, ...]:
        """The names of these properties."""


def save_model(model: Storable, path: Path, replaced: str | None = None) -> Path:
    """Write a model to the folder ``path``, in the place of ``replaced`` alone where it is given.

    Raises MatineeError where it cannot be written; see ``write_folder``.
    """
    writer = Writer()
    facts = {
        "versions": {
            "matinee": matinee.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        **writer.plain(model, ""),
    }
    write_folder(path, facts, writer.arrays, writer.texts, replaced)
    return path


def learned_arrays(model: Storable) -> dict[str, StoredArray]:
    """The arrays that a model has learned, by name: all but ids and training ratings."""
    writer = Writer()
    writer.plain(model, "")
    prefixes = ("user_id", "item_id", "item_counts", "seen_")
    return {
        name: one
        for name, one in writer.arrays.items()
        if not name.rpartition("/")[2].startswith(prefixes)
    }


@dataclass(frozen=True, eq=False)
class Writer:
    """Collects the arrays and texts of values that become plain data."""

    arrays: dict[str, StoredArray] = field(default_factory=dict)
    texts: JsonObject = field(default_factory=dict)

    def plain(self, value: object, name: str) -> Any:
        """A value as JSON data; ``name`` is what its arrays are called. Raises TypeError."""
        if isinstance(value, np.ndarray | Stacked):
            self.arrays[name] = value
            return {ARRAY: name}
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, IdMap | Rows | PackedRows | Catalog):
            return self._shared(value)
        if is_dataclass(value) or hasattr(value, "_fields"):
            return {TYPE: type(value).__name__, **self._fields(value, name)}
        if isinstance(value, Mapping):
            return _pairs(value)
        if isinstance(value, tuple | list):
            return [self.plain(one, f"{name}/{at}") for at, one in enumerate(value)]
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise TypeError(f"{name} is a {type(value).__name__}, which a model folder cannot hold")

    def _fields(self, value: Any, name: str) -> JsonObject:
        names = getattr(value, "_fields", None) or [one.name for one in fields(value)]
        inside = "" if not name else f"{name}/" if hasattr(value, "precomputed") else f"{name}_"
        plain = {
            one: self.plain(getattr(value, one), inside + PREFIXES.get(one, one)) for one in names
        }
        computed = {
            one: self.plain(getattr(value, one), inside + one)
            for one in getattr(value, "precomputed", ())
        }
        return plain | ({COMPUTED: computed} if computed else {})

    def _shared(self, value: IdMap | Rows | PackedRows | Catalog) -> JsonObject:
        if isinstance(value, IdMap):
            texts, kind = value.texts, value.kind
            arrays = {f"{kind}_ids": texts.data, f"{kind}_id_ends": texts.ends}
            self._add(arrays)
            id_type = {} if value.id_type is None else {"type": value.id_type}
            return {IDS: kind, "whole_numbers": value.whole_numbers, **id_type}
        if isinstance(value, Catalog):
            self.texts.setdefault("catalog", value.to_plain())
            return {SHARED: "catalog"}
        self._add(value.parts())
        return {SHARED: "ratings"}

    def _add(self, arrays: Mapping[str, np.ndarray]) -> None:
        for name, array in arrays.items():
            self.arrays.setdefault(name, array)


def _pairs(mapping: Mapping[Any, object]) -> JsonObject:
    """A mapping of plain data as it is; one with other keys than text as a list of pairs."""
    if all(isinstance(key, str) for key in mapping):
        return dict(mapping)
    return {PAIRS: [list(pair) for pair in mapping.items()]}


@dataclass(frozen=True, eq=False)
class Reader:
    """Makes values of plain data, the arrays and texts of a folder, and the types it knows."""

    types: Mapping[str, type]
    arrays: Mapping[str, np.ndarray]
    texts: JsonMapping
    shared: dict[str, object] = field(default_factory=dict)

    def value(self, plain: Any) -> Any:
        """What ``Writer.plain`` was given.

        Raises KeyError for an unknown type or array, and TypeError where a field is of another
        type than its class says.
        """
        if isinstance(plain, list):
            return tuple(self.value(one) for one in plain)
        if not isinstance(plain, dict):
            return plain
        if TYPE in plain:
            return self._typed(plain)
        if ARRAY in plain:
            return self.arrays[plain[ARRAY]]
        if PAIRS in plain:
            return dict(plain[PAIRS])
        if IDS in plain:
            return self._once(plain[IDS], plain)
        if SHARED in plain:
            return self._once(plain[SHARED], plain)
        return plain

    def _typed(self, plain: JsonMapping) -> Any:
        kind = self.types[plain[TYPE]]
        values = {
            name: self.value(one) for name, one in plain.items() if name not in (TYPE, COMPUTED)
        }
        _check_fields(kind, values)
        instance = kind(**values)
        for name, one in plain.get(COMPUTED, {}).items():
            vars(instance)[name] = self.value(one)
        return instance

    def _once(self, name: str, plain: JsonMapping) -> Any:
        if name not in self.shared:
            self.shared[name] = self._make(name, plain)
        return self.shared[name]

    def _make(self, name: str, plain: JsonMapping) -> Any:
        if name == "catalog":
            return Catalog.from_plain(self.texts["catalog"])
        if name == "ratings":
            return rows_of(self.arrays)
        if name not in ("user", "item"):
            raise KeyError(name)
        texts = Texts(self.arrays[f"{name}_ids"], self.arrays[f"{name}_id_ends"])
        ids = IdMap.packed(texts, name, plain["whole_numbers"], plain.get("type"))
        check_ids(ids)
        return ids


def _check_fields(kind: type, values: JsonMapping) -> None:
    """Raise TypeError where a value is of another type than its field, as far as that is one."""
    for name, annotation in get_type_hints(kind).items():
        allowed = ALLOWED.get(annotation, get_origin(annotation) or annotation)
        plain = isinstance(allowed, tuple | type) and not getattr(allowed, "_is_protocol", False)
        if not plain or allowed is UnionType or name not in values:
            continue
        value = values[name]
        if not isinstance(value, allowed) or (isinstance(value, bool) and allowed is not bool):
            raise TypeError(f"{name} is no {getattr(annotation, '__name__', annotation)}")
