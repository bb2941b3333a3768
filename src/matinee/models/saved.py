"""A model to a folder and back."""

import platform
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

import matinee
from matinee.data.catalog import Catalog
from matinee.data.ids import IdMap
from matinee.data.packed import rows_of
from matinee.data.scale import Scale
from matinee.data.texts import Texts
from matinee.errors import BadModel
from matinee.models.blend import BlendModel
from matinee.models.factor import FactorModel
from matinee.models.hybrid import HybridModel
from matinee.models.model import Model
from matinee.models.neighbor import NeighborModel
from matinee.models.posterior import PosteriorModel
from matinee.models.storage import read_folder, write_folder
from matinee.models.user_neighbor import UserNeighborModel

MODELS: dict[str, type[Model]] = {
    "factor": FactorModel,
    "hybrid": HybridModel,
    "posterior": PosteriorModel,
    "neighbor": NeighborModel,
    "user-neighbor": UserNeighborModel,
    "blend": BlendModel,
}


def save_model(model: Model, path: Path) -> Path:
    """Write a model to the folder ``path``; see ``storage.write_folder``."""
    own_facts, arrays = model.parts()
    facts = signature(model) | {
        "scale": list(model.scale),
        "data_fingerprint": model.data_fingerprint,
        "versions": {
            "matinee": matinee.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "parts": own_facts,
        "whole_numbers": {ids.kind: ids.whole_numbers for ids in (model.users, model.items)},
    }
    arrays |= model.seen.parts() | {"item_counts": model.item_counts}
    for side, ids in (("user", model.users), ("item", model.items)):
        packed = ids.texts
        arrays |= {f"{side}_ids": packed.data, f"{side}_id_ends": packed.ends}
    write_folder(path, facts, arrays, {"catalog": model.catalog.to_plain()})
    return path


def signature(model: Model) -> dict[str, Any]:
    """What kind of model it is, and which algorithm with which settings made it."""
    return {
        "model": next(name for name, kind in MODELS.items() if type(model) is kind),
        "algorithm": model.algorithm,
        "settings": dict(model.settings),
        "kind": model.kind,
        "facts": dict(model.facts),
    }


def model_of(common: dict[str, Any], facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> Model:
    """The model with this ``signature`` and these ``parts``."""
    own = {name: facts[name] for name in ("kind", "algorithm", "settings", "facts")}
    return MODELS[facts["model"]].from_parts(common | own, facts["parts"], arrays)


def load(path: str | Path) -> Model:
    """The model saved at ``path``; needs neither its training data nor any code from the file.

    Raises BadModel, in words, when the folder is missing, truncated, altered, newer or foreign.
    """
    if not isinstance(path, str | PathLike):
        raise BadModel(f"load takes the path of a model's folder, not {path!r}")
    facts, arrays, texts = read_folder(Path(path))
    kind = facts.get("model")
    if kind not in MODELS:
        raise BadModel(f"{path} holds a model of kind {kind!r}, which this Matinee does not know")
    whole = facts.get("whole_numbers", {})  # older folders do not say
    try:
        common = {
            f"{side}s": IdMap.packed(
                Texts(arrays[f"{side}_ids"], arrays[f"{side}_id_ends"]), side, whole.get(side)
            )
            for side in ("user", "item")
        } | {
            "seen": rows_of(arrays),
            "scale": Scale(*facts["scale"]),
            "catalog": Catalog.from_plain(texts["catalog"]),
            "data_fingerprint": facts["data_fingerprint"],
        }
        model = model_of(common, facts, arrays)
        if "item_counts" in arrays:  # to count them anew takes long where ratings are many
            vars(model)["item_counts"] = arrays["item_counts"]
        return model
    except KeyError as missing:
        raise BadModel(f"{path} lacks {missing}; fit the model again") from None
