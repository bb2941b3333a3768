"""Writes docs/benchmarks.md from the JSON lines: every number on the page was measured.

python benchmarks/render.py
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from accuracy import accuracy_columns, verdict_lines
from compilations import command_lines, kernel_lines
from data import DATA_SETS, ROOT
from jobs import RESULTS, Row, read_rows
from lists import BEYOND, HITS, list_columns
from memory import memory_lines
from roofline import roofline_lines, said_of_machine
from serving import serving_lines
from speed import speed_lines
from tables import markdown

PAGE = ROOT / "docs" / "benchmarks.md"
MADE = "<!-- Written by benchmarks/render.py from benchmarks/results; do not edit by hand. -->"

HEADINGS = {
    "ml-100k": "Ratings of MovieLens 100K, published folds u1..u5",
    "ml-1m": "Ratings of MovieLens 1M, five random folds",
    "top-n": "Lists of ten on MovieLens 1M",
}
PROTOCOLS = {
    "ratings": "Means over the folds. Predictions are clipped to 1..5 for all; a test pair whose "
    "user or item has no training rating gets the same damped-bias prediction from all.",
    "lists": "A random fifth of the films that each user rated 4 or more is held out, and all "
    "films are ranked except the user's other likes. Who learns from likes (preferences, and the "
    "zero-filled) gets those; who learns from ratings gets all ratings that are not held out, and "
    "ranks by predicted stars alone: what choices add to its lists is [below](#choice-and-stars).",
}
COSTS = "Fit seconds are medians over the folds, after compilation and without reading the data; "
COSTS += "the peak is the highest resident memory of the process until the fit is done."
# By heading, the scripts that have a table there: what each measures, and its columns by heading.
TABLES = {
    "New films, new people": {
        "cold_start": (
            "A tenth of the films is held out of training with all their ratings (cold), and a "
            "tenth of the other ratings (warm). AUC and NDCG@10 rank the held-out films alone, "
            "those a user rated 4 or more against the others; who scores them all alike ranks by "
            "chance.",
            {
                "data_set": "data",
                "algorithm": "algorithm",
                "warm_rmse": "warm RMSE",
                "cold_rmse": "cold RMSE",
                "cold_auc": "cold AUC",
                "cold_ndcg@10": "cold NDCG@10",
            },
        ),
        "fold_in": (
            "A tenth of the users is held out; ten ratings of each are given, the rest is tested. "
            "A refit learns from the ten as well. The last column is the median time to fold in a "
            "thousand people of twenty ratings each, from ids to persons.",
            {
                "data_set": "data",
                "algorithm": "algorithm",
                "folded_in_rmse": "folded in RMSE",
                "refit_rmse": "refit RMSE",
                "ratio": "ratio",
                "fold_in_1000_seconds": "1,000 in seconds",
            },
        ),
        "interview": (
            "A tenth of the users is held out; half of the ratings of each are what they can "
            "answer, the other half is tested. RMSE before any answer, after asking about the "
            "most popular films, and after the interview, with the average numbers of questions "
            "and answers.",
            {
                "data_set": "data",
                "algorithm": "algorithm",
                "n_factors": "factors",
                "implicit_weight": "implicit weight",
                "until": "until",
                "nothing_rmse": "nothing asked",
                "popular_rmse": "popular films",
                "interview_rmse": "interview",
                "popular_questions": "questions, popular",
                "interview_questions": "questions, interview",
                "popular_answers": "answers, popular",
                "interview_answers": "answers, interview",
            },
        ),
    },
    "Choice and stars": {
        "lists_choice": (
            "A fifth of each user's likes is held out, and everything rated in training is left "
            "out of the lists. Lists as they are rank by choice and stars where a model has both. "
            "*default* is what `matinee.fit` takes, *best* is `mf` with the choices of `ease`, "
            "`slim` and non-negative `implicit-als`, a sum chosen among seven on ml-1m itself. "
            "Rare is the share of places for films with fewer than ten ratings, repeated the "
            "share of 300 people who get the most repeated title.",
            {
                "data_set": "data",
                "algorithm": "algorithm",
                "lists": "lists",
                "ndcg@10": "NDCG@10",
                "rare": "rare",
                "repeated": "repeated",
            },
        ),
    },
    "Beside tuned peers, on data of many kinds": {
        "beside_peers": (
            "A fifth of each user's likes is held out (of counts and choices, a fifth of all); "
            "everything else trains, none of it is ranked, and the lists are those of the same "
            "2,000 users at most. Peers are tuned on a fifth of the training likes, over a few "
            "settings each, on all rows or the likes alone; the default has nothing set. The last "
            "columns are how far the default is ahead, and the standard error of that over users.",
            {
                "data_set": "data",
                "contender": "contender",
                "ndcg@10": "NDCG@10",
                "default_less_this": "default ahead by",
                "error_of_difference": "error",
            },
        ),
        "beside_myfm": (
            "RMSE with a fifth of the ratings held out. myFM has the best rank on a held-out fifth "
            "of the training part, and is the mean of three runs; ours have nothing set. The "
            "error of the difference is over users.",
            {
                "data_set": "data",
                "contender": "contender",
                "rmse": "RMSE",
                "ahead": "ahead of myFM by",
                "error": "error",
            },
        ),
    },
    "Rules for lists": {
        "list_rules": (
            "Lists of ten by EASE on MovieLens 100K. A random fifth of the films that each user "
            "rated 4 or more is held out; what is rated in training is left out of the lists. "
            "Each rule alone, at three strengths. Miscalibration is the divergence of a list's "
            "genres from those of the training films rated 4 or more, in nats: lower is nearer "
            "to the person's own. One split, so differences of NDCG below 0.01 are noise.",
            {
                "data_set": "data",
                "algorithm": "algorithm",
                "rule": "rule",
                "strength": "strength",
                "ndcg": "NDCG@10",
                "diversity": "diversity",
                "novelty": "novelty, bits",
                "miscalibration": "miscalibration",
            },
        ),
    },
    "Usual settings and tuned ones": {
        "defaults": (
            "Every algorithm with its usual settings, and with those that `matinee tune` finds on "
            "the training part, both measured once on a fifth of the ratings that was set aside: "
            "of all for RMSE, of each user's likes for NDCG@10. The loss is how much worse the "
            "usual are, in shares of the tuned figure; below 0 the search was led astray. The "
            "usual settings are the first trial, so a loss of exactly 0 says only that none of "
            "the other draws did better on the validation part: with 4 to 7 trials, as in most "
            "lines of ml-1m, it is little. One split each; the usual settings were chosen on "
            "these data sets in the first place.",
            {
                "data_set": "data",
                "algorithm": "algorithm",
                "metric": "metric",
                "usual": "usual",
                "tuned": "tuned",
                "loss": "loss",
                "trials": "trials",
            },
        ),
    },
    "Learned settings and the best of a grid": {
        "learned_settings": (
            "A fifth of each user's likes (at least 3/4 up the scale) is held out, all other "
            "ratings train, and what was trained on is not ranked. NDCG@10 on up to 2,000 users, "
            "with unobserved and reg learned and with the best of nine pairs of ratio and "
            "strength. That pair is chosen on the test part, and a loss is in shares of its "
            "figure. `lowest` is the target of the lowest rating. One split and one seed each.",
            {
                "data_set": "data",
                "algorithm": "algorithm",
                "lowest": "lowest",
                "learned": "learned",
                "best": "best",
                "of_grid": "best pair",
                "loss": "loss",
            },
        ),
    },
    "What time would add": {
        "time_terms": (
            "Biases of an item by 30 bins of time, drift of a user (Koren 2009), or both, are "
            "fitted with the biases and taken off the ratings before an algorithm learns the "
            "rest. RMSE without them, and how it changes with the terms of the time when each "
            "test rating was given (then), and with those of the newest training rating (now), "
            "which is when a recommendation is made. Drift fills gaps of the past on ml-100k, by "
            "0.004 at most; on ml-1m, and as of now, the terms mostly cost something, up to 0.04. "
            "The dampings are 100 and 500; of others tried by hand with the biases (30 to 300, "
            "and 5 to 3000), a drift damping of 3000 gained 0.003 on the last fifth of each "
            "user's ratings of ml-100k, and cost 0.05 on that of ml-1m. So no algorithm has them.",
            {
                "data_set": "data",
                "split": "test part",
                "algorithm": "algorithm",
                "terms": "terms",
                "rmse": "RMSE",
                "then": "then",
                "now": "now",
            },
        ),
    },
    "The row solve and LAPACK": {
        "lapack": (
            "Microseconds on one thread, medians over turns. Update: the sum of y y' over 256 "
            "ratings, ours in float32 blocks gathered in float64, beside BLAS in float64 (dsyrk) "
            "and float32 (ssyrk). Solve: A x = b by Cholesky, ours in float64, beside LAPACK's "
            "dposv and sposv. All are called from compiled code, theirs by the pointers that "
            "scipy exports. Taken while the machine was busy: read ratios, and those roughly.",
            {
                name: name
                for name in (
                    "factors",
                    "update ours",
                    "dsyrk",
                    "ssyrk",
                    "solve ours",
                    "dposv",
                    "sposv",
                )
            },
        ),
    },
    "Other scales": {
        "units": (
            "RMSE with the usual settings. MovieLens 100K, u1, on three scales, each back in "
            "stars; 5,000 people of Jester, whose scale is -10 to 10; three planted factors with "
            "noise of deviation 0.15, fitted with 3, 10 and 20 factors.",
            {
                "algorithm": "algorithm",
                "stars": "stars",
                "20 r + 100": "20 r + 100",
                "r / 20 - 3": "r / 20 - 3",
                "jester": "Jester",
                "planted 3": "planted, 3 factors",
                "planted 10": "10 factors",
                "planted 20": "20 factors",
            },
        ),
    },
    "Wide catalogues": {
        "wide": (
            "Fits of made-up ratings with the margins of Gowalla and of Amazon's categories, and "
            "those of peers that keep as many neighbours. A product is a pair of entries of one "
            "user: what comparing all items that share one costs at least.",
            {
                "algorithm": "algorithm",
                "users": "users",
                "items": "items",
                "ratings": "ratings",
                "million_products": "million products",
                "cpu_seconds": "CPU s",
            },
        ),
    },
    "Reading ratings": {
        "reading": (
            "The first `read_ratings` of a process, with what it imports, and the highest resident "
            "memory of the process until then: medians of five processes.",
            {
                "source": "source",
                "ratings": "ratings",
                "cpu_seconds": "CPU s",
                "peak_mb": "peak MB",
            },
        ),
    },
    "Lists from a large catalogue": {
        "lookup": (
            "The list of ten of one person among a million drawn items of 64 factors: the median "
            "of 50 people, by scoring all, and by the index that a server makes of its items. "
            "Factors fall by a power of their number; lengths are drawn from a gamma distribution, "
            "or all the same (cosine), where an index helps least. Where the first 16 axes hold "
            "less than half of the squared length, none is made.",
            {
                "items": "items",
                "factors": "factors",
                "fall": "power",
                "lengths": "lengths",
                "index_seconds": "index s",
                "scan_ms": "scoring all ms",
                "lookup_ms": "looked up ms",
            },
        ),
    },
    "The page under a hand": {
        "page": (
            "In headless Chromium, which paints on the processor that the server also needs. Of "
            "the mixer: from the input event of a slider to the changed list with its reasons, and "
            "to the frame that shows it, for the default model of MovieLens 1M. Of the map: "
            "milliseconds from frame to frame, of which a screen takes 60 a second, for 100,000 "
            "made films, all of them in view (zoom 1) or a part that is dragged. The load is that "
            "of the machine, whose other work waits for the same two cores.",
            {
                "name": "what",
                "scale": "zoom",
                "n": "times",
                "median_ms": "median ms",
                "p99_ms": "99 % ms",
                "shown_median_ms": "shown, median ms",
                "shown_p99_ms": "shown, 99 % ms",
                "load_average": "load",
            },
        ),
    },
    "More ratings than memory": {
        "streaming": (
            "Made-up ratings in random order, 67 a person in the mean, films by a power law (rank "
            "to the -0.8): packed, then fitted in blocks by MF with implicit feedback. Who grows "
            "is the number of people; the catalogue stays. Seconds of an epoch are those of "
            "solving all films and all people once, and hold one solve for each film, whatever "
            "the number of ratings. Own memory is what is not a mapped file, and most of it is "
            "for films. With a limit the process could have no more addresses (RLIMIT_AS).",
            {
                "what": "ratings",
                "factors": "factors",
                "limit": "limit",
                "pack_s": "packed in s",
                "disk_bytes": "bytes a rating on disk",
                "epoch_s": "epoch s",
                "us": "µs a rating",
                "cpu_us": "processor µs",
                "own": "own memory MB",
                "own_bytes": "own bytes a rating",
                "mapped": "with mapped files MB",
                "addresses": "addresses MB",
                "list": "list of ten ms",
            },
        ),
        "large_model": (
            "A model of random factors served by `matinee serve` from a mapped file: 300 lists of "
            "ten and 300 lists with reasons, one after the other, when nothing of the file was in "
            "memory (cold), and again. To be reached: ready within 3 s, 10 ms in the median, "
            "1,024 MB.",
            {
                "users": "people",
                "factors": "factors",
                "gb": "model GB",
                "cache": "page cache",
                "ready_seconds": "ready after s",
                "median_ms": "median ms",
                "p99_ms": "99 % ms",
                "why_median_ms": "with reasons ms",
                "resident_mb": "resident MB",
                "own_mb": "own memory MB",
                "reached": "reached",
            },
        ),
    },
}
ROUNDED = (
    "streaming",
    "large_model",
    "reading",
    "lookup",
    "page",
    "wide",
)  # scripts whose figures are rounded as they are shown
WITH_COMPILER = (
    "All but our own modules and kernels is there as soon as numba loads one kernel, be it from "
    "the cache: machine code is found and linked by the compiler, which first loads all it knows "
    "of numpy. Without it, kernels would have to be unpacked, linked and called by code of ours "
    "that follows what numba promises to nobody (the files of its cache, its calling convention "
    "and its helpers in C), and that breaks, at best, with each of its releases; its own "
    "compilation ahead of time is deprecated, needs a C compiler, and makes code for one kind of "
    "processor. So we keep the compiler, and its memory."
)
SHOWN_SETTINGS = 12  # of a contender, so that a line of the table stays a line
EMPTY = "Nothing is measured yet."


def main() -> None:
    """Write the page."""
    accuracy, speed, roofline, memory, serving = (
        read_rows(RESULTS / f"{name}.jsonl")
        for name in ("accuracy", "speed", "roofline", "memory", "serving")
    )
    others = {
        name: read_rows(RESULTS / f"{name}.jsonl")
        for scripts in (*TABLES.values(), ["compilations"])
        for name in scripts
    }
    parts = page(accuracy, speed, roofline, memory, serving, others)
    PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(PAGE)


def page(
    accuracy: list[Row],
    speed: list[Row],
    roofline: list[Row],
    memory: list[Row],
    serving: list[Row],
    others: dict[str, list[Row]],
) -> Iterator[str]:
    """The parts of the page."""
    yield MADE
    yield "# Benchmarks"
    yield (
        "Our algorithms beside other libraries, on the same data, by the same measures, each in a "
        "process of its own. `python benchmarks/accuracy.py` and `python benchmarks/speed.py` "
        "measure, `python benchmarks/render.py` writes this page; how to run and read them is in "
        "[benchmarks/README.md](../benchmarks/README.md). Seconds are those of one machine on one "
        "day: ratios within a run carry further."
    )
    for name, data_set in DATA_SETS.items():
        rows = [row for row in accuracy if row["data_set"] == name]
        yield f"## {HEADINGS[name]}"
        yield f"{PROTOCOLS[data_set.task]} {COSTS}"
        yield markdown(accuracy_columns(accuracy, name)) if rows else EMPTY
    yield from every_metric([row for row in accuracy if row["data_set"] == "top-n"])
    yield "## What is to be reached"
    yield "`must` is kept by every release, `aim` is what the method is known to reach or better."
    yield markdown(verdict_lines(accuracy))
    yield "## Speed"
    yield (
        "The two of a line take turns on the same cores; a figure with an x is the peer's seconds "
        "over ours, the median over the turns. Memory is the peak of the whole process, with what "
        "the table below shows in it."
    )
    yield markdown(speed_lines(speed)) if speed else EMPTY
    yield "What is resident before there are data to speak of (`python benchmarks/memory.py`):"
    yield markdown(memory_lines(memory)) if memory else EMPTY
    yield WITH_COMPILER
    yield "### Rooflines"
    yield (
        "No kernel is done sooner than its arithmetic at the speed of large matrix products, nor "
        "than its bytes at the speed of plain reading from cache, where the factors of MovieLens "
        "1M lie; the share is the longer of the two over the kernel's own time. 64 factors. "
        f"(`python benchmarks/roofline.py`) {said_of_machine(roofline) if roofline else ''}"
    )
    yield markdown(roofline_lines(roofline)) if roofline else EMPTY
    yield "## Serving"
    yield (
        "`matinee serve` with the default nmf model of MovieLens 1M, asked by wrk over 16 "
        "connections that share its cores. *Computed*: never the same question twice, as all users "
        "are asked for in turn by one query, and then by another; *kept*: users are drawn again "
        "and again, and most answers are those that the server has kept. "
        "With 16 connections that ask without pause, 16 / (answers a second) is the mean time of "
        "an answer. One process answers, or as many as workers are named. *A second of 2 cores* is "
        "what two cores answer that do nothing else, without wrk beside them: 2,000 / CPU ms. "
        "*Load* is the load average of the machine at the end; where it is above 3, other work "
        "took most of the two cores, and answers a second and ms are not the server's alone."
    )
    yield markdown(serving_lines(serving)) if serving else EMPTY
    for heading, scripts in TABLES.items():
        yield f"## {heading}"
        for name, (what, shown) in scripts.items():
            yield f"{what} (`python benchmarks/{name}.py`)"
            lines = lines_of(others[name], shown)
            if name in ROUNDED:
                lines = [{head: str(value) for head, value in line.items()} for line in lines]
            yield markdown(lines) if lines else EMPTY
    yield "## First runs"
    yield (
        "What a new process compiles with an empty cache: kernels, functions of numba that these "
        "need, and processor seconds. A fit is of 60 x 60 made-up ratings. Commands let another "
        "process compile a part meanwhile, on another core; a fit from Python does not. "
        "(`python benchmarks/compilations.py`)"
    )
    first_runs = command_lines(others["compilations"])
    yield markdown(first_runs) if first_runs else EMPTY
    yield (
        "Processor seconds by kernel, where all are compiled (`matinee warm-up`). Those of numba's "
        "own functions, such as sorts, are those of the kernel that needs them; those of a kernel "
        "that others call are its own."
    )
    for row in others["compilations"]:
        if row["command"] == "warm-up":
            yield markdown(kernel_lines(row))
    everything = [*accuracy, *speed, *roofline, *memory, *serving]
    everything += chain.from_iterable(others.values())
    yield "## Settings"
    yield markdown(settings_lines(accuracy)) if accuracy else EMPTY
    yield "## Where and when"
    yield markdown(places(everything)) if everything else EMPTY
    yield "## Versions"
    yield markdown(versions(everything)) if everything else EMPTY


def lines_of(rows: list[Row], shown: dict[str, str]) -> list[Row]:
    """A line a row, by data set, with the columns that are shown."""
    ordered = sorted(rows, key=lambda row: row.get("data_set", ""))
    return [
        {head: (row.get("settings", {}) | row).get(column) for column, head in shown.items()}
        for row in ordered
    ]


def every_metric(rows: list[Row]) -> Iterator[str]:
    """All metrics of the lists with their intervals, in two tables."""
    if not any("intervals" in row for row in rows):
        return
    yield "### Every metric, with intervals"
    yield (
        "The same lists by every metric there is ([what each means](reference-metrics.md)); ± is "
        "half the 95 % interval over users (1,000 resamples), bold the best. First how well the "
        "held-out likes are found:"
    )
    yield markdown(list_columns(rows, HITS))
    yield "Then what the lists are like; novelty, popularity and diversity have no good end:"
    yield markdown(list_columns(rows, BEYOND))


def settings_lines(rows: Iterable[Row]) -> list[Row]:
    """What each contender was set to."""
    latest = {row["contender"]: row["settings"] for row in rows}
    return [
        {"contender": name, "settings": ", ".join(said(settings))}
        for name, settings in sorted(latest.items())
    ]


def said(settings: dict[str, Any]) -> Iterator[str]:
    """The settings as ``name=value``."""
    shown = list(settings.items())[:SHOWN_SETTINGS]
    yield from (f"`{name}={value!r}`" for name, value in shown)
    if len(settings) > len(shown):
        yield f"{len(settings) - len(shown)} more"


def places(rows: Iterable[Row]) -> list[Row]:
    """The machines, with the days and commits of what was measured on each."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        machine = row["machine"]
        key = (
            machine["cpu"],
            machine["cores"],
            machine.get("memory_gb"),
            machine["system"],
            row["threads"],
        )
        found.setdefault(key, []).append(row)
    return [
        {
            "processor": cpu,
            "cores": cores,
            "memory GB": memory,
            "system": system,
            "threads": threads,
            "days": " ".join(sorted({row["date"][:10] for row in here})),
            "commits": " ".join(sorted({row["commit"] for row in here})),
            "rows": len(here),
        }
        for (cpu, cores, memory, system, threads), here in found.items()
    ]


def versions(rows: Iterable[Row]) -> list[Row]:
    """Every package that was measured, or stood under what was, with its versions."""
    found: dict[str, set[str]] = {}
    for row in rows:
        for part in (row, row.get("ours", {}), row.get("peer", {})):
            for name, version in part.get("versions", {}).items():
                found.setdefault(name, set()).add(version)
    return [{"package": name, "version": ", ".join(sorted(found[name]))} for name in sorted(found)]


if __name__ == "__main__":
    main()
