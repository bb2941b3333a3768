"""The state of a fit on packed ratings, on disk after each pass, and the users' factors."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile

import numpy as np

from matinee.disk.reading import open_regular
from matinee.disk.whole_files import sync, sync_folder
from matinee.errors import MatineeError, Option
from matinee.row_solvers.embeddings import Embeddings

STATE, NEW_STATE = "state.npz", "new-state.npz"
USERS = "users-{}-{}"  # of the passes of even and odd number
BEGINNING = "begin"  # the folder of the fit that first factors come from
OWN_FILES = {
    STATE,
    NEW_STATE,
    BEGINNING,
    f".{BEGINNING}.lock",
    *(USERS.format(parity, name) for parity in (0, 1) for name in ("factors", "bias")),
}
NO_PASS = -1  # the state of a fit that has no whole pass yet
IN_MEMORY = 256 << 20  # users' factors of up to so many bytes are read into memory at the end


class Checkpoints:
    """A folder that holds the items after each pass, and users' factors of two passes.

    ``fingerprint`` identifies the fit: only a state with the same one is continued.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder, self.fingerprint = folder, fingerprint

    def begin(self) -> int:
        """Delete the state of an earlier fit; returns the first pass, 0.

        Raises MatineeError for a folder that holds anything but what is written here.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        held = {file.name for file in self.folder.iterdir()}
        if held - OWN_FILES and STATE not in held:
            raise MatineeError(
                f"{self.folder} exists and holds no state of a fit; choose another place"
            )
        self._replace_state(NO_PASS, {})
        shutil.rmtree(self.folder / BEGINNING, ignore_errors=True)
        for name in held & (OWN_FILES - {STATE, BEGINNING}):
            (self.folder / name).unlink(missing_ok=True)
        return 0

    def load(self, items: Embeddings) -> int:
        """Fill the items of the last state; returns the pass that comes next.

        Begins afresh where there is no state. Raises MatineeError for that of another fit.
        """
        if not self._state.exists():
            return self.begin()
        with self._read_state() as state:
            if str(state["fingerprint"]) != self.fingerprint:
                raise MatineeError(
                    f"{self.folder} holds the state of a fit with other settings or ratings; "
                    "begin without ",
                    Option("resume"),
                )
            number = int(state["next"])
            if number < 0:
                return self.begin()
            stored = Embeddings(*(state.get(name, None) for name in Embeddings._fields))
            if [one is None or one.shape for one in stored] != [
                one is None or one.shape for one in items
            ]:
                raise ValueError("its arrays do not fit the fit")
            items.fill(stored)
        return number

    @contextmanager
    def _read_state(self) -> Iterator[Any]:
        """The arrays of the state. Raises MatineeError, in words, for a damaged one."""
        try:
            with open_regular(self._state) as file, np.load(file, allow_pickle=False) as state:
                yield state
        except MatineeError:
            raise
        except (OSError, ValueError, LookupError, TypeError, EOFError, BadZipFile) as error:
            raise MatineeError(
                f"{self.folder} does not hold the whole state of a fit ({error}); begin without ",
                Option("resume"),
            ) from None

    def save(self, items: Embeddings, number: int) -> None:
        """Store the items that pass ``number`` begins from, atomically."""
        arrays: dict[str, Any] = {
            name: array for name, array in items._asdict().items() if array is not None
        }
        self._replace_state(number, arrays)

    def _replace_state(self, number: int, arrays: Mapping[str, Any]) -> None:
        new = self.folder / NEW_STATE
        with self._in_words():
            with new.open("wb") as file:
                facts: dict[str, Any] = {
                    "next": np.array(number),
                    "fingerprint": np.array(self.fingerprint),
                }
                np.savez(file, **facts, **arrays)
                sync(file)
            new.replace(self._state)
            sync_folder(self.folder)

    @contextmanager
    def writing(self, number: int) -> Iterator[Callable[[Embeddings], None]]:
        """A place for the users of pass ``number``, block after block, from the first to the last.

        The files are new ones: who has mapped older ones keeps them.
        """
        files = [self._users(number, name) for name in ("factors", "bias")]
        with self._in_words(), ExitStack() as stack:
            for file in files:
                file.unlink(missing_ok=True)
            factors, bias = (stack.enter_context(file.open("wb")) for file in files)

            def keep(users: Embeddings) -> None:
                append(users.factors, factors)
                append(users.bias, bias)

            yield keep

    def users(self, number: int, n_users: int, n_factors: int) -> Embeddings:
        """Users' factors of pass ``number``, mapped: what is written to them goes to the files."""
        return Embeddings(
            np.memmap(self._users(number, "factors"), np.float32, "r+", shape=(n_users, n_factors)),
            np.memmap(self._users(number, "bias"), np.float32, "r+", shape=(n_users,)),
        )

    def last_users(self, number: int, n_users: int, n_factors: int) -> Embeddings:
        """``users`` for a model: read into memory, unless they are large."""
        users = self.users(number, n_users, n_factors)
        return users.copy() if users.factors.nbytes <= IN_MEMORY else users

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            free = shutil.disk_usage(self.folder).free / 1e9
            raise MatineeError(
                f"the state of the fit could not be kept in {self.folder}, where {free:,.1f} GB "
                f"are free: {error.strerror or error}; free some, and resume"
            ) from None

    def _users(self, number: int, name: str) -> Path:
        return self.folder / USERS.format(number % 2, name)

    @property
    def _state(self) -> Path:
        return self.folder / STATE


def append(array: np.ndarray, file: IO[bytes]) -> None:
    """Append the bytes of an array of any shape to a file."""
    file.write(np.ascontiguousarray(array).data)
