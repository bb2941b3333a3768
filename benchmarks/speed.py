"""How fast we are beside the peers: ratios of seconds for the same work in the same run.

    python benchmarks/speed.py                      all but the heavy duels
    python benchmarks/speed.py --heavy              all of them
    python benchmarks/speed.py --only 'mf-*' --repeats 5

The two of a duel take turns, each in a new process on the same number of cores, after whatever
compiles has been compiled; a ratio is the median over the turns.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

import ours
from accuracy import of_ratings
from contenders import is_ours
from data import DATA_SETS, Fold, folder_of_data, ml_1m_whole, power_law, wide
from duels import (
    ALONE,
    DUELS,
    HELP_SECONDS,
    IMPORT_SECONDS,
    READ_MEMORY,
    READ_MEMORY_MB,
    READ_SECONDS,
    Alone,
    Duel,
    Runner,
)
from jobs import (
    RESULTS,
    Row,
    Workshop,
    circumstances,
    keep,
    read_rows,
    saved,
    says_why,
    workshop,
)
from tables import table

KEY = ("name",)
SAME_ERROR = 0.0005  # stars of RMSE within which two models are as good
MADE = {"power-law": power_law, "wide": wide}  # data sets made here, for speed alone
SECONDS = {
    "fit": ("fit",),
    "fit and answer": ("fit", "answer"),
    "epoch": ("epoch",),
    "lists": ("lists",),
}

READ_AND_WEIGH = """
import json, sys, time
from pathlib import Path
before = int(next(l for l in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in l).split()[1])
started = time.perf_counter()
from matinee.sources import read_ratings
imported = time.perf_counter()
ratings = read_ratings(sys.argv[1])
seconds = time.perf_counter() - imported
peak = int(next(l for l in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in l).split()[1])
columns = (ratings.user, ratings.item, ratings.rating, ratings.timestamp)
arrays = sum(column.nbytes for column in columns if column is not None) / 2**20
print(json.dumps({"seconds": seconds, "import_seconds": imported - started,
                  "peak_mb": peak / 1024, "before_mb": before / 1024, "arrays_mb": arrays}))
"""  # noqa: E501


def main() -> None:
    """Run what was asked for, keep it, and show it beside what is to be reached."""
    asked = arguments()
    path = Path(asked.results) / "speed.jsonl"
    with workshop(asked.threads, asked.limit_seconds, asked.python) as shop:
        for row in rows_of(shop, asked):
            print(line(row), flush=True)
            if not says_why(row) or is_news(row, path):
                keep(path, row, KEY)
    print()
    print(table(speed_lines(read_rows(path))))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", help="names, or patterns of them")
    parser.add_argument("--heavy", action="store_true", help="those that take minutes too")
    parser.add_argument("--repeats", type=int, default=5, help="turns; %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="for each contender; %(default)s")
    parser.add_argument(
        "--limit-seconds", type=float, default=3600.0, help="for one turn; %(default)s"
    )
    parser.add_argument("--data", help="folder of the MovieLens zips")
    parser.add_argument("--results", default=str(RESULTS), help="folder of the JSON lines")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PEER=INTERPRETER",
        help="for a peer in an environment of its own",
    )
    return parser.parse_args()


def rows_of(shop: Workshop, asked: argparse.Namespace) -> Iterator[Row]:
    """Every row that was asked for; data sets are made once, when they are first needed."""
    work: list[Duel | Alone] = [one for one in (*ALONE, *DUELS) if is_asked(one, asked)]
    for data_set in dict.fromkeys(one.data_set for one in work):
        fold = fold_of(data_set, asked)
        with saved(shop, fold) as file:
            for one in work:
                if one.data_set == data_set:
                    yield turns(shop, one, fold, file, asked.repeats)
    for name, measure in COMMANDS.items():
        if named(name, asked):
            yield {"name": name, **measure(asked), **circumstances(asked.threads)}


def is_news(row: Row, path: Path) -> bool:
    """Whether a peer is absent that was never measured: that is kept too."""
    return "absent" in row and row["name"] not in {old["name"] for old in read_rows(path)}


def named(name: str, asked: argparse.Namespace) -> bool:
    """Whether a name is among those asked for."""
    return not asked.only or any(fnmatchcase(name, pattern) for pattern in asked.only)


def is_asked(one: Duel | Alone, asked: argparse.Namespace) -> bool:
    """Whether to run it: heavy ones need --heavy or their own name."""
    heavy = getattr(one, "heavy", False)
    return named(one.name, asked) and (asked.heavy or not heavy or one.name in (asked.only or ()))


def fold_of(data_set: str, asked: argparse.Namespace) -> Fold:
    """The first fold of a data set, or one that only speed is measured on."""
    if data_set in MADE:
        return MADE[data_set]()
    folder = folder_of_data(asked.data)
    if data_set == "ml-1m-whole":
        return ml_1m_whole(folder)
    return next(DATA_SETS[data_set].read(folder, [1]))


def turns(shop: Workshop, one: Duel | Alone, fold: Fold, file: Path, repeats: int) -> Row:
    """Let the contenders take turns; what each took, and the ratio."""
    runners = {"ours": one.ours}
    if isinstance(one, Duel):
        runners["peer"] = one.peer
        repeats = one.repeats or repeats
    algorithm = one.ours.contender.settings["algorithm"]
    if algorithm not in ours.ALGORITHMS:
        return {"name": one.name, "absent": f"matinee has no {algorithm} yet"}
    shop.warm(one.ours.contender, one.task, file)
    took: dict[str, list[Row]] = {who: [] for who in runners}
    for _ in range(repeats):
        for who, runner in runners.items():
            row = turn(shop, one, runner, fold, file)
            if says_why(row):
                return {
                    "name": one.name,
                    "data_set": one.data_set,
                    "measure": one.measure,
                    **row,
                    **circumstances(shop.threads),
                }
            took[who].append(row)
    return {
        "name": one.name,
        "data_set": one.data_set,
        "measure": one.measure,
        **{who: together(runners[who], rows) for who, rows in took.items()},
        **verdict(one, took),
        **circumstances(shop.threads),
    }


def turn(shop: Workshop, one: Duel | Alone, runner: Runner, fold: Fold, file: Path) -> Row:
    """One contender's turn: seconds of wall and processor, and the error where there is one."""
    inside = "fit" if one.measure == "fit and answer" else one.measure
    more: dict[str, Any] = {"epochs": runner.passes, "repeats": 1}
    if one.data_set == "power-law":
        more["positive_from"] = 0  # there, everything counts as a like
    result, answer = shop.run(runner.contender, one.task, file, inside, **more)
    if says_why(result):
        return result
    for kind in ("wall", "cpu"):
        parts = [result[f"{part}_{kind}_seconds"] for part in SECONDS[one.measure]]
        result[kind] = float(sum(np.mean(part) for part in parts))
    if answer is not None and isinstance(one, Duel) and one.task == "ratings":
        result["rmse"] = of_ratings(fold, answer)["metrics"]["rmse"]
    return result


def together(runner: Runner, rows: list[Row]) -> Row:
    """The turns of one contender as one value."""
    settings = runner.contender.settings
    if is_ours(runner.contender):
        settings = ours.all_settings(settings)
    found = {
        "contender": runner.contender.name,
        "settings": settings,
        "seconds": median(row["wall"] for row in rows),
        "cpu_seconds": median(row["cpu"] for row in rows),
        "turns": [round(row["wall"], 5) for row in rows],
        "peak_rss_mb": max(row["peak_rss_mb"] or 0 for row in rows),
        "load_average": max(row["load_average"] for row in rows),
        "versions": rows[0]["versions"],
    }
    return found | ({"rmse": rows[0]["rmse"]} if "rmse" in rows[0] else {})


def verdict(one: Duel | Alone, took: dict[str, list[Row]]) -> Row:
    """The figure, its limit, and whether it is reached."""
    mine = median(row["wall"] for row in took["ours"])
    if isinstance(one, Alone):
        return {"figure": mine, "at_most": one.at_most, "met": mine <= one.at_most}
    pairs = zip(took["ours"], took["peer"], strict=True)
    ratios = [peer["wall"] / row["wall"] for row, peer in pairs]
    ratio = median(ratios)
    cpu = [median(row["cpu"] for row in took[who]) for who in ("peer", "ours")]
    as_good = not one.same_error or (
        took["ours"][0]["rmse"] <= took["peer"][0]["rmse"] + SAME_ERROR
    )
    return {
        "figure": ratio,
        "ratios": [min(ratios), max(ratios)],
        "cpu_ratio": cpu[0] / max(cpu[1], 1e-9),
        "at_least": one.at_least,
        "as_good": as_good,
        "met": as_good and ratio >= one.at_least,
    }


# Commands.


def import_time(asked: argparse.Namespace) -> Row:
    """``import matinee`` in a new process, less the start of the interpreter."""
    took = quickest(asked, ["-c", "import matinee"])
    start = quickest(asked, ["-c", "pass"])
    return clocked(max(took - start, 0.0), IMPORT_SECONDS) | {"whole_process": took}


def help_time(asked: argparse.Namespace) -> Row:
    """``python -m matinee --help`` as a whole."""
    return clocked(quickest(asked, ["-m", "matinee", "--help"]), HELP_SECONDS)


def reading(asked: argparse.Namespace) -> Row:
    """``read_ratings`` of MovieLens 1M's zip: seconds, and the highest memory."""
    source = str(folder_of_data(asked.data) / "ml-1m.zip")
    runs = [json.loads(output(asked, ["-c", READ_AND_WEIGH, source])) for _ in range(asked.repeats)]
    peak, arrays = (max(run[name] for run in runs) for name in ("peak_mb", "arrays_mb"))
    limit = READ_MEMORY * arrays + READ_MEMORY_MB
    row = clocked(median(run["seconds"] for run in runs), READ_SECONDS)
    return row | {
        "peak_rss_mb": peak,
        "memory_limit_mb": limit,
        "arrays_mb": arrays,
        "met": row["met"] and peak <= limit,
    }


COMMANDS = {"import-matinee": import_time, "matinee-help": help_time, "read-ml-1m-zip": reading}


def clocked(seconds: float, limit: float) -> Row:
    """Seconds against a limit."""
    return {"measure": "command", "figure": seconds, "at_most": limit, "met": seconds <= limit}


def quickest(asked: argparse.Namespace, words: list[str]) -> float:
    """Fewest wall seconds of a command: so short a run is mostly lengthened by other work."""
    took = []
    for _ in range(2 * asked.repeats + 1):
        started = perf_counter()
        output(asked, words)
        took.append(perf_counter() - started)
    return min(took)


def output(asked: argparse.Namespace, words: list[str]) -> str:
    """What a command of this interpreter prints."""
    environment = Workshop(Path(), asked.threads).environment(DUELS[0].ours.contender)
    done = subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


# Showing.


def line(row: Row) -> str:
    """One row as a line."""
    return f"{row['name']:32} {says_why(row) or f'{told(row)}  {reached(row)}'}"


def told(row: Row) -> str:
    """The figure: a ratio, or seconds."""
    return f"{row['figure']:.2f}x" if "at_least" in row else f"{row['figure']:.3f} s"


def reached(row: Row) -> str:
    """Whether the limit is kept."""
    if row.get("as_good") is False:
        return "NOT met: the error is higher"
    return "met" if row["met"] else "NOT met"


def speed_lines(rows: list[Row]) -> list[Row]:
    """One line a row, for a table."""
    lines = []
    for row in rows:
        mine, other = row.get("ours", {}), row.get("peer", {})
        if says_why(row):
            lines.append(
                {
                    "what": row["name"],
                    "data": row["data_set"],
                    "of": row["measure"],
                    "is": "absent here",
                }
            )
            continue
        limit = f">= {row['at_least']:g}x" if "at_least" in row else f"<= {row['at_most']:g} s"
        seconds = {
            who: f"{side['seconds']:.3f}" if side else None
            for who, side in (("ours s", mine), ("peer s", other))
        }
        lines.append(
            {
                "what": row["name"],
                "data": row.get("data_set"),
                "of": row["measure"],
                "figure": told(row),
                "limit": limit,
                "is": reached(row),
                "in CPU s": f"{row['cpu_ratio']:.2f}x" if "cpu_ratio" in row else None,
                **seconds,
                "our RMSE": mine.get("rmse"),
                "peer's RMSE": other.get("rmse"),
                "our MB": megabytes(mine),
                "peer's MB": megabytes(other),
            }
        )
    return lines


def megabytes(side: Row) -> str | None:
    """The peak memory of one side, where it is known."""
    return f"{side['peak_rss_mb']:,.0f}" if side.get("peak_rss_mb") else None


if __name__ == "__main__":
    main()
