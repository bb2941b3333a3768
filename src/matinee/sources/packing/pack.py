"""Packing: ratings of any number into a folder, in one pass and bounded memory.

DuckDB reads and judges the rows and numbers the ids, on disk where memory does not hold them
(``stages``); the rows are dealt into bins and sorted (``sorting``), and stream into the arrays of
``matinee.data.packed`` (``pack_files``). All happens in a hidden folder beside the goal, whose
result takes the goal's name when it is complete: packed ratings are whole or absent. Stages are
kept, so that after a kill the same call resumes from the last one.
"""

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from matinee.data.catalog import Catalog
from matinee.data.packed import FILES, PackedRatings, is_packed
from matinee.data.read_report import Finding, ReadReport
from matinee.data.scale import Scale
from matinee.disk.locks import folder_lock
from matinee.disk.places import check_room
from matinee.disk.whole_files import exchange, sync_folder
from matinee.display.steps import OnStep, quiet
from matinee.errors import BadRatings, BadSetting, MatineeError, Option, known_arguments
from matinee.sources import files
from matinee.sources.checks import (
    check_options,
    infers_stars,
    nothing_left,
    refuse,
    unknown_time,
    words_remedy,
)
from matinee.sources.duck import MOST_THREADS, interrupts
from matinee.sources.packing import stages
from matinee.sources.packing.pack_files import (
    Facts,
    MergeRule,
    numbered_rows,
    weights_are_not_packed,
    write_arrays,
    write_sorted,
)
from matinee.sources.packing.sorting import Bins
from matinee.sources.raw import Fault, LayoutOptions, Query, ReadOptions

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STAGES = ("reading rows", "numbering ids", "sorting", "writing")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_IN_WORDS = ("no space left", "file too large", "disk quota", "max_temp_directory_size")
SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([KMGT])i?B", re.IGNORECASE)
LEAST_MEGABYTES = 100  # DuckDB's threads hold some in buffers
MEMORY = "1GB"  # for DuckDB; what it has no room for it keeps on disk


@known_arguments
def pack(
    source: object,
    folder: str | Path,
    *,
    columns: Mapping[str, str | int] | None = None,
    scale: tuple[float, float] | None = None,
    duplicates: str = "last",
    strict: bool = False,
    encoding: str | None = None,
    catalog: object = None,
    positives_from: float | None = None,
    memory: str = MEMORY,
    on_stage: OnStep = quiet,
    **layout: Unpack[LayoutOptions],
) -> PackedRatings:
    """Ratings of a file, packed in ``folder``, for fits on more than memory holds.

    Takes what ``read_ratings`` takes (``layout`` is its options for the layout of files) and judges
    rows alike; a file is never read into memory as a
    whole. ``positives_from`` keeps the ratings of at least so many stars, as ones. ``memory`` is
    what sorting may hold. A folder of packed ratings that is there is replaced at the end. After an
    interruption the same call resumes where it was; it needs some 30 bytes of disk per rating.

    Raises BadRatings as ``read_ratings`` does, and MatineeError when the disk is full, the folder
    holds something else, or another program packs into it now.
    """
    from matinee.sources import read_catalog, read_ratings, source_of

    limits = None if scale is None else Scale(float(scale[0]), float(scale[1]))
    options = ReadOptions(columns, limits, duplicates, strict, encoding, **layout)
    check_options(options)
    check_memory(memory)
    goal = Path(folder)
    check_place(goal)
    own_catalog = None if catalog is None else read_catalog(catalog, encoding=encoding)
    goal.parent.mkdir(parents=True, exist_ok=True)
    with (
        files.on_disk(source) as place,
        folder_lock(goal, seconds=0),
        _work_folder(goal, source_fingerprint(place, options, positives_from)) as work,
    ):
        kind = source_of(place)
        if kind.query is None:
            ratings = read_ratings(
                place,
                columns=columns,
                scale=scale,
                duplicates=duplicates,
                strict=strict,
                encoding=encoding,
                **layout,
            )
            if positives_from is not None:
                ratings = ratings.positives_from(positives_from)
            write_arrays(ratings, work / "whole", own_catalog)
        else:
            with kind.query(place, options) as query:
                _pack_query(query, options, positives_from, own_catalog, work, memory, on_stage)
        _publish(work / "whole", goal)
    return PackedRatings.open(goal)


def check_memory(memory: object) -> None:
    """Raise BadSetting unless it is a size, and enough to sort in."""
    size = SIZE.fullmatch(memory) if isinstance(memory, str) else None
    if size is None:
        raise BadSetting(f"memory is {memory!r}; it must be a size such as '500MB' or '2GB'")
    if float(size[1]) * 1000.0 ** ("KMGT".index(size[2].upper()) - 1) < LEAST_MEGABYTES:
        raise BadSetting(f"memory is {memory!r}; it must be at least {LEAST_MEGABYTES}MB")


def check_place(goal: Path) -> None:
    """Raise MatineeError unless ``goal`` is free, empty, or a folder of packed ratings alone.

    Raises it as well where nothing can be put beside it.
    """
    check_room(goal)
    if not goal.exists():
        return
    if goal.is_file() or (any(goal.iterdir()) and not is_packed(goal)):
        raise MatineeError(f"{goal} exists and holds no packed ratings; choose another place")
    foreign = sorted(file.name for file in goal.iterdir() if file.name not in FILES)
    if foreign:
        raise MatineeError(
            f"{goal} holds {foreign[0]} besides packed ratings, which would be lost; move it, or "
            "choose another place"
        )


def source_fingerprint(source: object, options: ReadOptions, positives_from: float | None) -> str:
    """The state of a file and the options it is packed with; empty for data in memory."""
    path = files.as_path(source)
    if path is None:
        return ""
    state = path.stat()
    facts = [str(path.absolute()), str(options), positives_from, state.st_size, state.st_mtime_ns]
    return json.dumps(facts)


@contextmanager
def _work_folder(goal: Path, fingerprint: str) -> Iterator[Path]:
    """The hidden folder beside the goal where packing happens; kept only by an interruption."""
    import duckdb

    work = goal.parent / f".{goal.name}-packing"
    label = work / "source.json"
    if not (fingerprint and label.is_file() and label.read_text() == fingerprint):
        shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir(parents=True, exist_ok=True)
        label.write_text(fingerprint)
        with interrupts():
            yield work
    except duckdb.OutOfMemoryException:
        shutil.rmtree(work, ignore_errors=True)
        raise MatineeError(
            "packing needs more than the memory it may take; allow more, such as ",
            Option("memory", "4GB"),
        ) from None
    except (OSError, duckdb.Error) as error:
        shutil.rmtree(work, ignore_errors=True)
        words = files.words(error)
        full = getattr(error, "errno", None) in FULL
        if full or any(phrase in words.lower() for phrase in FULL_IN_WORDS):
            free = shutil.disk_usage(goal.parent).free
            raise MatineeError(
                f"the disk is full: packing into {goal} needs more room in {goal.parent}, where "
                f"{free / 1e9:,.1f} GB are free now; nothing was left half-made. Choose a larger "
                "disk, or free some and try again"
            ) from None
        if isinstance(error, OSError):
            raise
        raise BadRatings(f"the source cannot be packed: {words[:200]}") from None
    except MatineeError:
        shutil.rmtree(work, ignore_errors=True)
        raise
    shutil.rmtree(work, ignore_errors=True)


def _pack_query(
    query: Query,
    options: ReadOptions,
    positives_from: float | None,
    catalog: Catalog | None,
    work: Path,
    memory: str,
    on_stage: OnStep,
) -> None:
    """Stage after stage, from the rows of a file to the arrays in ``work / "whole"``."""
    if query.with_weight:
        raise weights_are_not_packed(query.name)
    with _database(work, memory) as db:
        on_stage(0, len(STAGES), STAGES[0])
        stages.read_rows(db, query)
        known = options.scale or query.known_scale
        scale = stages.judge(db, query, known)
        report = _report(db, query, options, scale)
        levels = stages.levels_of(db)
        if levels and infers_stars(options, query.known_scale):
            stages.look_for_doubts(db, query, levels)
        on_stage(1, len(STAGES), STAGES[1])
        stages.number_ids(db)
        on_stage(2, len(STAGES), STAGES[2])
        with_moment = query.with_time and options.duplicates in ("last", "error")
        stages.number_rows(db, query, with_moment)
        shutil.rmtree(work / "bins", ignore_errors=True)
        bins = Bins.of(work / "bins", *stages.sizes(db), with_moment)
        bins.deal(numbered_rows(db))
        on_stage(3, len(STAGES), STAGES[3])
        rule = MergeRule(options.duplicates, positives_from)
        values = levels[0] if levels else None
        facts = Facts(scale, values, report, catalog or query.catalog, query.id_types)
        write_sorted(db, bins, work / "whole", query, rule, facts)
        on_stage(4, len(STAGES), "done")


@contextmanager
def _database(work: Path, memory: str) -> Iterator["DuckDBPyConnection"]:
    import duckdb

    db = duckdb.connect(
        str(work / "stages.duckdb"),
        config={
            "threads": min(MOST_THREADS, os.cpu_count() or 1),
            "memory_limit": memory,
            "temp_directory": str(work / "spilled"),
            "autoinstall_known_extensions": "false",
        },
    )
    try:
        db.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        yield db
    finally:
        db.close()


def _report(
    db: "DuckDBPyConnection", query: Query, options: ReadOptions, scale: Scale
) -> ReadReport:
    """What reading found, before merging. Raises BadRatings as ``strict`` asks, or for no rows."""
    set_aside: tuple[Finding, ...] = tuple(stages.findings(db, query, scale))
    if options.strict and set_aside:
        refuse(query.name, set_aside[0])
    n_rows = stages.scalar(db, f"SELECT count(*) FROM judged WHERE fault <> {Fault.NO_ROW:d}")
    n_good = n_rows - sum(finding.count for finding in set_aside)
    if n_good == 0:
        words = stages.words(db, query)
        raise nothing_left(query.name, set_aside, lambda: words_remedy(words))
    notes = list(query.notes)
    if unread := stages.bad_times(db, query):
        if options.strict:
            refuse(query.name, unread)
        notes.append(unknown_time(unread))
    origin = "given" if options.scale else "known" if query.known_scale else "inferred"
    return ReadReport(
        source=query.name,
        format=query.format,
        columns=query.columns,
        details={**query.details, **options.details},
        scale=scale,
        scale_from=origin,
        n_rows=n_rows,
        n_kept=n_good,
        set_aside=set_aside,
        duplicates=options.duplicates,
        notes=tuple(notes),
    )


def _publish(whole: Path, goal: Path) -> None:
    """Give a finished folder its name; one that is there goes when the new one is in place."""
    goal.parent.mkdir(parents=True, exist_ok=True)
    sync_folder(whole)
    if goal.exists():
        exchange(whole, goal)
    else:
        whole.rename(goal)
    sync_folder(goal.parent)
