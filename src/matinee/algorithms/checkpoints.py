"""What a fit on packed ratings keeps on disk: its state after each pass, and users' factors."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.errors import MatineeError
from matinee.models.side import Side
from matinee.packed import PackedRatings

if TYPE_CHECKING:
    from matinee.algorithms.base import Algorithm

STATE = "state.npz"
IN_MEMORY = 256 << 20  # users' factors of up to so many bytes are read into memory at the end


class Checkpoints:
    """A folder that holds the items after each pass, and users' factors of two passes."""

    def __init__(self, folder: Path, algorithm: "Algorithm", ratings: PackedRatings) -> None:
        settings = {**algorithm.settings, "n_epochs": None}  # more epochs go on from fewer
        known_by = json.dumps([algorithm.name, settings, ratings.fingerprint], sort_keys=True)
        self.folder, self.algorithm = folder, algorithm
        self.known_by = hashlib.sha256(known_by.encode()).hexdigest()

    def begin(self) -> int:
        """Forget what is here; returns the first pass."""
        if self.folder.exists() and any(self.folder.iterdir()) and not self._state.exists():
            raise MatineeError(
                f"{self.folder} exists and holds no state of a fit; choose another place"
            )
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        np.savez(self._state, next=np.array(-1), known_by=np.array(self.known_by))
        return 0

    def load(self, items: Side) -> int:
        """Fill the items of the last state; returns the pass that comes next.

        Begins afresh where there is no state. Raises MatineeError for that of another fit.
        """
        if not self._state.exists():
            return self.begin()
        with np.load(self._state, allow_pickle=False) as state:
            if str(state["known_by"]) != self.known_by:
                raise MatineeError(
                    f"{self.folder} holds the state of a fit with other settings or ratings; "
                    "begin without resume"
                )
            number = int(state["next"])
            if number < 0:
                return self.begin()
            kept = (state.get(name, None) for name in Side._fields)
            items.fill(Side(*kept))
        return number

    def save(self, items: Side, number: int) -> None:
        """Keep the items from which pass ``number`` goes on, in one step."""
        arrays: dict[str, Any] = {
            name: array for name, array in items._asdict().items() if array is not None
        }
        new = self.folder / f"new-{STATE}"
        np.savez(new, next=np.array(number), known_by=np.array(self.known_by), **arrays)
        new.replace(self._state)

    def users(self, number: int, n_users: int, n_factors: int, write: bool = False) -> Side:
        """Users' factors of pass ``number``, mapped: to be written, or as they are."""
        factors, bias = (
            _mapped(self.folder / f"users-{number % 2}-{name}", shape, write)
            for name, shape in (("factors", (n_users, n_factors)), ("bias", (n_users,)))
        )
        if not write and factors.nbytes <= IN_MEMORY:
            factors, bias = np.array(factors), np.array(bias)
        return Side(factors, bias)

    @property
    def _state(self) -> Path:
        return self.folder / STATE


def _mapped(file: Path, shape: tuple[int, ...], write: bool) -> np.ndarray:
    new = write and not file.exists()
    # "c": what a model does to its own rows is not written back
    return np.memmap(file, np.float32, "w+" if new else "r+" if write else "c", shape=shape)
