"""Lists of all users, written by the tasks to where a server looks them up."""

from pathlib import Path
from typing import TYPE_CHECKING

from matinee.disk.locks import folder_lock, work_folder
from matinee.disk.whole_files import exchange
from matinee.errors import BadSetting, MatineeError
from matinee.list_store.stored_list import FINGERPRINT
from matinee.models import Model
from matinee.spark.model_folder import ModelFolder
from matinee.spark.recommending import recommend
from matinee.storage.model_files import check_folder, model_fingerprint

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ROW_GROUP_BYTES = 4 << 20  # as Spark holds them before compression: what a lookup reads
MARKS = ("_SUCCESS", "._SUCCESS.crc")  # what Spark leaves beside Parquet files


def write_lists(
    model: Model | str | Path,
    place: str | Path,
    n: int = 100,
    *,
    why: bool = False,
    folder: str | Path | None = None,
) -> None:
    """Write the lists of all who have ratings, for ``matinee serve MODEL --lists PLACE``.

    ``place`` is a folder of Parquet files, which all executors reach. It takes its name when it is
    whole, in the place of lists that are there. Rows are those of ``recommend``, in the order of
    users, with the fingerprint of the model; ``model``, ``n``, ``why`` and ``folder`` are those of
    ``recommend``.

    Raises BadSetting when ``n`` is below 1 or ``place`` is a URL, and MatineeError where something
    else is at ``place``.
    """
    if "://" in str(place):
        raise BadSetting(f"{place} is no folder; lists go to one that all executors reach")
    path = Path(place)
    check_lists_folder(path)
    saved = ModelFolder.of(model, folder)
    lists = recommend(saved.folder, n=n, why=why)
    write_folder(labelled(lists, model_fingerprint(saved.folder)), path)


def labelled(lists: "DataFrame", fingerprint: str) -> "DataFrame":
    """The lists with a column that says which model made them."""
    from pyspark.sql.functions import lit

    return lists.withColumn(FINGERPRINT, lit(fingerprint))


def write_folder(lists: "DataFrame", path: Path) -> None:
    """Write Parquet files beside ``path``, and put them there in one step."""
    with folder_lock(path), work_folder(path) as temporary:
        new = temporary / "lists"
        lists.write.option("parquet.block.size", ROW_GROUP_BYTES).parquet(str(new))
        if path.exists():
            exchange(new, path.resolve())
        else:
            new.rename(path)


def check_lists_folder(path: Path) -> None:
    """Raise MatineeError unless lists can go to ``path``: nothing is there, or lists are."""
    if path.is_dir() and not all(is_of_lists(file.name) for file in path.iterdir()):
        raise MatineeError(f"{path} exists and holds something else; choose another place")
    if path.is_file() and path.suffix != ".parquet":
        raise MatineeError(f"{path} exists and is no Parquet file; choose another place")
    check_folder(path, path.absolute().parent)


def is_of_lists(name: str) -> bool:
    """Whether Spark calls a file of lists so."""
    return name in MARKS or name.removesuffix(".crc").endswith(".parquet")
