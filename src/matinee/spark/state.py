"""The state of a fit on Spark: packed blocks, their summary, and the items after each pass."""

import hashlib
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from matinee.data.ids import IdMap
from matinee.data.scale import Scale
from matinee.data.texts import Texts
from matinee.display.text import counted
from matinee.errors import MatineeError, Option, Setting
from matinee.row_solvers.embeddings import Embeddings
from matinee.spark.blocks import BlockFolder, Numbered, Size
from matinee.spark.chunks import stage
from matinee.spark.cleaning import judged
from matinee.spark.layout import Layout
from matinee.spark.packing import pack
from matinee.spark.passes import UserFiles
from matinee.spark.sessions import Room
from matinee.training.alternating import AlternatingAlgorithm, Alternation, fit_fingerprint
from matinee.training.epochs import first_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

BLOCKS, CHUNKS, MARK = "blocks", "chunks", "fit.txt"
OURS = {
    MARK,
    BLOCKS,
    CHUNKS,
    "begin",
    "items.npz",
    "new-items.npz",
    "new-numbered.npz",
    "numbered.npz",
    "parts",
    "users-0",
    "users-1",
}


class State:
    """The state of a fit in a folder that the driver and all executors share."""

    def __init__(self, folder: Path, algorithm: AlternatingAlgorithm) -> None:
        self.folder = folder
        self.fingerprint = fit_fingerprint(algorithm)
        self.file = folder / "items.npz"

    def users(self, number: int, rotation: np.ndarray | None = None) -> UserFiles:
        """The files of the users of a pass; those of the pass before are not overwritten."""
        return UserFiles(self.folder / f"users-{number % 2}", rotation)

    def begin(self) -> None:
        """Create the folders of users' files."""
        for number in range(2):
            self.users(number).folder.mkdir(parents=True, exist_ok=True)

    def items(
        self, plan: Alternation, n_items: int, start: Embeddings | None, resume: bool
    ) -> tuple[Embeddings, np.ndarray, int]:
        """The items to start or resume from, their numbers of ratings, and the next pass.

        Raises MatineeError for the state of a fit with other settings, or of more epochs.
        """
        items = Embeddings.zeros(n_items, plan.n_factors)
        if plan.implicit_reg is not None:
            items = items.with_implicit()
        if not (resume and self.file.exists()):
            first_rows(plan, items, 1, 0, np.ones(n_items, bool), start)
            return items, np.zeros(n_items, np.int64), 0
        with np.load(self.file, allow_pickle=False) as state:
            if str(state["fingerprint"]) != self.fingerprint:
                raise MatineeError(
                    f"{self.folder} holds the state of a fit with other settings; begin without ",
                    Option("resume"),
                )
            number = int(state["next"])
            if number > plan.n_epochs:
                raise MatineeError(
                    f"{counted(number, 'epoch')} done already, more than n_epochs={plan.n_epochs}; "
                    "resume with ",
                    Setting("n_epochs", number),
                    " or more, or begin without ",
                    Option("resume"),
                )
            items.fill(Embeddings(*(state.get(name, None) for name in Embeddings._fields)))
            return items, state["counts"], number

    def save(self, items: Embeddings, counts: np.ndarray, number: int) -> None:
        """Save the items that pass ``number`` starts from, atomically."""
        arrays: dict[str, Any] = {
            name: one for name, one in items._asdict().items() if one is not None
        }
        new = self.folder / "new-items.npz"
        fingerprint = np.array(self.fingerprint)
        np.savez(new, next=np.array(number), fingerprint=fingerprint, counts=counts, **arrays)
        new.replace(self.file)


class BlockSize(NamedTuple):
    """The part of the ``Size`` of a block that is stored."""

    block: int
    users: int
    ratings: int
    id_bytes: int
    digest: str


class Blocks:
    """The packed blocks of a folder."""

    def __init__(self, folder: Path, numbered: Numbered, sizes: list[BlockSize]) -> None:
        self.folder, self.numbered, self.sizes = folder, numbered, sizes

    @classmethod
    def of(cls, folder: Path, frame: "DataFrame", resume: bool) -> "Blocks":
        """The blocks of a folder when resuming, or else packed from the frame.

        Raises MatineeError where the folder's frame had another number of rows.
        """
        known = folder / "numbered.npz"
        if resume and known.exists():
            with np.load(known, allow_pickle=False) as arrays:
                before, now = int(arrays["n_read"]), frame.count()
            if before != now:
                raise MatineeError(
                    f"{folder} holds a fit to a frame of {counted(before, 'row')}, and this one "
                    f"has {now:,}; begin without ",
                    Option("resume"),
                )
            return cls(folder, *_load(known))
        _make_room(folder)
        spark, scratch = frame.sparkSession, folder / CHUNKS
        staged = stage(judged(frame), scratch)
        layout = Layout.of(staged)
        sizes = pack(spark, staged, layout, folder / BLOCKS)
        shutil.rmtree(scratch)
        numbered = Numbered.of(layout.items, sizes)
        merged = staged.n_valid - numbered.n_ratings
        if merged:
            same = "merged into another of the same user and item: the last was kept"
            warnings.warn(f"{counted(merged, 'row')} {same}", stacklevel=3)
        _save(known, numbered, sizes, staged.n_read)
        return cls(folder, *_load(known))

    def frame(self, spark: Any, room: Room | None) -> "DataFrame":
        """The numbers of the blocks, in one partition for each parallel task."""
        frame: DataFrame = spark.range(0, len(self.sizes), 1, room and room.tasks)
        return frame

    @property
    def block_folder(self) -> BlockFolder:
        """The blocks as tasks read them."""
        users = [size.users for size in self.sizes]
        return BlockFolder(self.folder / BLOCKS, np.cumsum([0, *users[:-1]]))

    @property
    def fingerprint(self) -> str:
        """A digest of ids and ratings: equal data have equal fingerprints."""
        digest = hashlib.sha256("\n".join(self.numbered.items).encode())
        for size in self.sizes:
            digest.update(size.digest.encode())
        return digest.hexdigest()[:16]


def _make_room(folder: Path) -> None:
    """Empty the folder of an older fit, or create it.

    Raises MatineeError where it holds other files.
    """
    if folder.exists() and not folder.is_dir():
        raise MatineeError(f"{folder} is a file; a fit needs a folder of its own")
    entries = list(folder.iterdir()) if folder.exists() else []
    ours = OURS if (folder / MARK).exists() else set()
    others = sorted(one.name for one in entries if one.name not in ours)
    if others:
        raise MatineeError(
            f"{folder} holds {others[0]}, which is no part of a fit; choose another place"
        )
    for one in entries:
        if one.is_dir():
            shutil.rmtree(one)
        else:
            one.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("a fit of Matinee on Spark, to resume\n", encoding="utf-8")
    for name in (BLOCKS, CHUNKS):
        (folder / name).mkdir()


def _save(file: Path, numbered: Numbered, sizes: list[Size], n_read: int) -> None:
    items, new = numbered.items.texts, file.with_name(f"new-{file.name}")
    levels: Any = {} if numbered.levels is None else {"levels": numbered.levels}
    np.savez(
        new,
        items=items.data,
        item_ends=items.ends,
        n=np.array([numbered.n_users, numbered.n_ratings]),
        n_read=np.array(n_read),
        mean=np.array(numbered.mean),
        deviation=np.array(numbered.deviation),
        scale=np.array(numbered.scale),
        sizes=np.array([(*size[:3], size.id_bytes) for size in sizes], np.int64),
        digests=np.array([size.digest for size in sizes]),
        **levels,
    )
    new.replace(file)


def _load(file: Path) -> tuple[Numbered, list[BlockSize]]:
    with np.load(file, allow_pickle=False) as one:
        low, high = one["scale"].tolist()
        n_users, n_ratings = one["n"].tolist()
        items = IdMap.packed(Texts(one["items"], one["item_ends"]), "item")
        rows = zip(one["sizes"].tolist(), one["digests"].tolist(), strict=True)
        return Numbered(
            items,
            n_users,
            n_ratings,
            float(one["mean"]),
            float(one["deviation"]),
            Scale(low, high),
            one.get("levels", None),
        ), [BlockSize._make((*size, digest)) for size, digest in rows]
