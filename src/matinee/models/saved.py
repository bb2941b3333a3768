"""A factor model to a folder and back."""

import platform
from pathlib import Path
from typing import Any

import numpy as np

import matinee
from matinee.catalog import Catalog, Item
from matinee.errors import BadModel
from matinee.ids import IdMap
from matinee.models.factor import FactorModel
from matinee.models.fold_in import from_plain, to_plain
from matinee.models.side import Side
from matinee.ratings import Rows, Scale
from matinee.storage import pack_ids, read_folder, unpack_ids, write_folder


def save_model(model: FactorModel, path: Path) -> Path:
    """Write a model to the folder ``path``; see ``storage.write_folder``."""
    facts = {
        "model": "factor",
        "algorithm": model.algorithm,
        "settings": dict(model.settings),
        "kind": model.kind,
        "scale": list(model.scale),
        "global_mean": model.global_mean,
        "fold_in": to_plain(model.fold),
        "facts": dict(model.facts),
        "data_fingerprint": model.data_fingerprint,
        "versions": {
            "matinee": matinee.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
    arrays = {
        "user_factors": model.user_factors,
        "item_factors": model.item_factors,
        "user_bias": model.user_bias,
        "item_bias": model.item_bias,
        "seen_indptr": model.seen.indptr,
        "seen_items": model.seen.indices,
        "seen_ratings": model.seen.values,
    }
    arrays["user_ids"], arrays["user_id_ends"] = pack_ids(model.users.ids)
    arrays["item_ids"], arrays["item_id_ends"] = pack_ids(model.items.ids)
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_folder(path, facts, arrays, {"catalog": _catalog_to_plain(model.catalog)})
    return path


def load(path: str | Path) -> FactorModel:
    """The model saved at ``path``; needs neither its training data nor any code from the file.

    Raises BadModel, in words, when the folder is missing, truncated, altered, newer or foreign.
    """
    facts, arrays, texts = read_folder(Path(path))
    if facts.get("model") != "factor":
        raise BadModel(f"{path} holds a {facts.get('model')!r} model, which this Matinee lacks")
    try:
        return FactorModel(
            users=IdMap(unpack_ids(arrays["user_ids"], arrays["user_id_ends"]), "user"),
            items=IdMap(unpack_ids(arrays["item_ids"], arrays["item_id_ends"]), "item"),
            global_mean=facts["global_mean"],
            user_side=Side(arrays["user_factors"], arrays["user_bias"]),
            item_side=Side(arrays["item_factors"], arrays["item_bias"]),
            seen=Rows(arrays["seen_indptr"], arrays["seen_items"], arrays["seen_ratings"]),
            scale=Scale(*facts["scale"]),
            kind=facts["kind"],
            fold=from_plain(facts["fold_in"]),
            algorithm=facts["algorithm"],
            settings=facts["settings"],
            data_fingerprint=facts["data_fingerprint"],
            catalog=_catalog_from_plain(texts["catalog"]),
            facts=facts["facts"],
        )
    except KeyError as missing:
        raise BadModel(f"{path} lacks {missing}; fit the model again") from None


def _catalog_to_plain(catalog: Catalog) -> dict[str, Any]:
    return {
        item_id: {
            "title": entry.title,
            "year": entry.year,
            "genres": entry.genres,
            "features": dict(entry.features),
        }
        for item_id, entry in catalog.entries.items()
    }


def _catalog_from_plain(plain: dict[str, Any]) -> Catalog:
    return Catalog(
        {
            item_id: Item(
                entry["title"],
                entry["year"],
                tuple(entry["genres"]),
                {name: tuple(values) for name, values in entry["features"].items()},
            )
            for item_id, entry in plain.items()
        }
    )
