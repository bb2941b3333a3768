"""What a fit on Spark keeps: packed blocks, what the driver knows, and items after each pass."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from matinee.algorithms.alternating import Alternation
from matinee.algorithms.base import Algorithm
from matinee.algorithms.epochs import draw_factors
from matinee.errors import MatineeError
from matinee.ids import IdMap
from matinee.models.side import Side
from matinee.ratings import Scale
from matinee.spark.blocks import Numbered
from matinee.texts import Texts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Packing = Callable[[], tuple[Numbered, "DataFrame"]]


class State:
    """A folder that the driver and all executors can reach."""

    def __init__(self, folder: Path, algorithm: Algorithm) -> None:
        settings = {**algorithm.settings, "n_epochs": None}  # more epochs go on from fewer
        known_by = json.dumps([algorithm.name, settings], sort_keys=True)
        self.folder = folder
        self.known_by = hashlib.sha256(known_by.encode()).hexdigest()

    def blocks(
        self, frame: "DataFrame", packing: Packing, resume: bool
    ) -> tuple[Numbered, "DataFrame"]:
        """The packed blocks: those that are here, to resume, or packed now."""
        path, known = str(self.folder / "blocks"), self.folder / "numbered.npz"
        if not (resume and known.exists()):
            (self.folder / "items.npz").unlink(missing_ok=True)
            known.unlink(missing_ok=True)
            numbered, blocks = packing()
            self.folder.mkdir(parents=True, exist_ok=True)
            blocks.write.mode("overwrite").parquet(path)
            _save_numbered(known, numbered)
        return _load_numbered(known), frame.sparkSession.read.parquet(path)

    def items(self, plan: Alternation, n_items: int, resume: bool) -> tuple[Side, int]:
        """The items from which a fit goes on, and the pass that comes next."""
        items = Side.zeros(n_items, plan.n_factors)
        if plan.implicit_reg is not None:
            items = items.with_implicit()
        file = self.folder / "items.npz"
        if not (resume and file.exists()):
            draw_factors(items.factors, plan.init_scale, plan.seed, 1)
            return items, 0
        with np.load(file, allow_pickle=False) as state:
            if str(state["known_by"]) != self.known_by:
                raise MatineeError(
                    f"{self.folder} holds the state of a fit with other settings; begin without "
                    "resume"
                )
            items.fill(Side(*(state.get(name, None) for name in Side._fields)))
            return items, int(state["next"])

    def save(self, items: Side, number: int) -> None:
        """Keep the items from which pass ``number`` goes on, in one step."""
        arrays = {name: one for name, one in items._asdict().items() if one is not None}
        new = self.folder / "new-items.npz"
        np.savez(new, next=np.array(number), known_by=np.array(self.known_by), **arrays)
        new.replace(self.folder / "items.npz")


def _save_numbered(file: Path, numbered: Numbered) -> None:
    users, items = numbered.users.texts, numbered.items.texts
    new = file.with_name(f"new-{file.name}")
    np.savez(
        new, users=users.data, user_ends=users.ends, items=items.data, item_ends=items.ends,
        n=np.array(numbered.n_ratings), mean=np.array(numbered.mean),
        scale=np.array(numbered.scale), each=np.array(numbered.users_per_block),
    )  # fmt: skip
    new.replace(file)


def _load_numbered(file: Path) -> Numbered:
    with np.load(file, allow_pickle=False) as one:
        low, high = one["scale"].tolist()
        return Numbered(
            IdMap.packed(Texts(one["users"], one["user_ends"]), "user"),
            IdMap.packed(Texts(one["items"], one["item_ends"]), "item"),
            int(one["n"]), float(one["mean"]), Scale(low, high), int(one["each"]),
        )  # fmt: skip
