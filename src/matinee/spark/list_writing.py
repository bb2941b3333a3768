"""Lists of all users, written by the tasks to where a server looks them up."""

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from matinee.disk.locks import folder_lock, work_folder
from matinee.disk.places import check_parent
from matinee.disk.whole_files import exchange
from matinee.errors import BadSetting, MatineeError
from matinee.list_store.stored_list import FINGERPRINT, is_database, without_secrets
from matinee.models import Model
from matinee.spark.model_folder import ModelFolder
from matinee.spark.recommending import recommend
from matinee.spark.tasks import Batches, in_task
from matinee.storage.model_files import model_fingerprint

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from matinee.list_store.database_writing import NewLists

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

    ``place`` is a folder of Parquet files that all executors reach, or postgresql://...; lists are
    there when all are, in the place of those before. Rows of Parquet are those of ``recommend``, in
    the order of users, with the fingerprint of the model. ``model``, ``n``, ``why`` (in Parquet
    alone) and ``folder`` are those of ``recommend``.

    Raises BadSetting when ``n`` is below 1 and for any other URL, MatineeError where something else
    is at ``place``, and BadLists where the database reports an error.
    """
    if is_database(str(place)):
        if why:
            raise BadSetting(
                "a database holds lists without reasons, which are computed; leave out why"
            )
        saved = ModelFolder.of(model, folder)
        write_table(recommend(saved.folder, n=n), str(place), model_fingerprint(saved.folder))
        return
    if "://" in str(place):
        raise BadSetting(
            "lists go to a folder that all executors reach or to postgresql://..., not to "
            f"{without_secrets(str(place))}"
        )
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


def write_table(lists: "DataFrame", place: str, fingerprint: str) -> None:
    """Have the tasks copy lists to PostgreSQL, where they are seen when all are there."""
    from matinee.list_store.database_writing import new_lists

    with new_lists(place, fingerprint) as new:
        rows = lists.select("user_id", "item_id", "score")
        rows.mapInArrow(in_task(_add, new), "n_lists long").collect()


def _add(new: "NewLists", batches: Batches) -> Batches:
    import pyarrow as pa

    columns = ([column.to_pylist() for column in batch.columns] for batch in batches)
    rows = chain.from_iterable(zip(*one, strict=True) for one in columns)
    yield pa.RecordBatch.from_pydict({"n_lists": pa.array([new.add(rows)], pa.int64())})


def check_lists_folder(path: Path) -> None:
    """Raise MatineeError unless lists can go to ``path``: nothing is there, or lists are."""
    if path.is_dir() and not all(is_of_lists(file.name) for file in path.iterdir()):
        raise MatineeError(f"{path} exists and holds something else; choose another place")
    if path.is_file() and path.suffix != ".parquet":
        raise MatineeError(f"{path} exists and is no Parquet file; choose another place")
    check_parent(path)


def is_of_lists(name: str) -> bool:
    """Whether Spark calls a file of lists so."""
    return name in MARKS or name.removesuffix(".crc").endswith(".parquet")
