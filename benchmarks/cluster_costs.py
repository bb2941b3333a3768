"""What a fit costs on a cluster: measured on two cores, extended by formulas that are written out.

    python benchmarks/cluster_costs.py            # the tables of docs/cluster.md
    python benchmarks/cluster_costs.py --write    # into that page

The measured rows are those of spark.py --counters, of 1, 10 and 50 million ratings. A straight line
through their seconds per epoch gives what a rating costs and what an epoch costs by itself. Sums
are padded to whole vectors: sizes are those of the AVX-512 machine that was measured, and do not
depend on the processor that runs this script.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from matinee.kernels.normal_sums import bytes_per_row
from tables import markdown, with_tables

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "cluster.md"
ROWS = HERE / "results" / "spark.jsonl"
FACTORS, EPOCHS = 64, 15
USERS, ITEMS, RATINGS = 300e6, 20e3, 20e9
CORES = (64, 512, 1024)
CORES_PER_TASK = 8  # spark.task.cpus: a task, and so a set of sums, for eight cores
NETWORK = 10e9 / 8  # bytes a second of a machine: an assumption, not a measurement
AVX512, AVX2 = 16, 8  # float32 numbers in a vector
BLOCK = 40e6  # bytes that a block of a million ratings takes while it is worked on: counted
BANDWIDTH, FLOPS, BUS = 3.35e12, 67e12, 64e9  # of an H100 SXM, as its maker states them
DEVICES = (1, 8, 64)
PADDING = 1.25  # of batches of rows, about: PADDED in kernels/dense_batches.py
MLLIB_BLOCKS = 10  # its default, with which it was measured
GB, TB = 1e9, 1e12
Row = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """What two cores have shown, by letters that the page explains."""

    s: float  # core seconds per rating and epoch
    f: float  # seconds of an epoch whatever the ratings
    once: float  # core seconds per rating for cleaning, numbering, packing and the last pass
    p: float  # packed bytes per rating
    m: float  # bytes of the model per user
    a: float  # bytes that a task sends per item and epoch
    python: float  # bytes of a task's process beside sums and block
    v: float  # bytes of a user's vector as MLlib sends it
    rate: float  # flop/s of a core in an epoch
    off: float  # seconds that the line of s and f is off at most, at a measured size

    @classmethod
    def of(cls, rows: list[Row]) -> "Measured":
        """From the rows of spark.py."""
        ours = sorted(chosen(rows, "matinee"), key=lambda row: row["ratings"])
        large = ours[-1]
        cores, n = large["threads"], np.array([row["ratings"] for row in ours])
        per_rating, fixed = line(n, [row["epoch_seconds"] for row in ours])
        first = [row["found"][0]["seconds"] - row["epoch_seconds"] for row in ours]
        theirs = max(chosen(rows, "mllib"), key=lambda row: row["ratings"])
        copies = theirs["users"] * distinct(theirs["ratings"] / theirs["users"], MLLIB_BLOCKS)
        copies += theirs["items"] * MLLIB_BLOCKS
        work = flops(large["users"], large["items"], large["ratings"])
        sums = bytes_of_sums(large["items"])
        return cls(
            s=per_rating * cores,
            f=max(fixed, 0.0),
            once=line(n, first)[0] * cores,
            p=large["packed_bytes"] / large["ratings"],
            m=large["model_bytes"] / large["users"],
            a=large["epoch_bytes"] / large["items"] / cores,
            python=max(large["python_mb"] * 2**20 / cores - sums - BLOCK, 0.0),
            v=theirs["epoch_bytes"] / copies,
            rate=work / (per_rating * large["ratings"] * cores),
            off=max(
                abs(fixed + per_rating * row["ratings"] - row["epoch_seconds"]) for row in ours
            ),
        )


def bytes_of_sums(items: float, lanes: int = AVX512) -> float:
    """Bytes that the sums of some items take in a task."""
    return items * bytes_per_row(FACTORS + 1, lanes)


def chosen(rows: list[Row], who: str) -> list[Row]:
    """The measured rows that the formulas start from."""
    return [row for row in rows if row["what"] == "counters" and row["who"] == who]


def line(x: np.ndarray, y: list[float]) -> tuple[float, float]:
    """Slope and start of the straight line through points."""
    slope, start = np.polyfit(x, y, 1)
    return float(slope), float(start)


def flops(users: float, items: float, ratings: float) -> float:
    """2 N d (d + 1) for both sides' sums, and (U + I)(d^3 / 3 + 2 d^2) for the solves."""
    d = FACTORS + 1
    return 2 * ratings * d * (d + 1) + (users + items) * (d**3 / 3 + 2 * d**2)


def distinct(n: float, blocks: int) -> float:
    """How many of some blocks n things fall into that are thrown by chance: B (1 - (1 - 1/B)^n)."""
    return float(blocks * (1 - (1 - 1 / blocks) ** n))


def costs(measured: Measured, cores: int) -> dict[str, str]:
    """An epoch of 300 million users, 20,000 films and 20 billion ratings on so many cores."""
    tasks = cores // CORES_PER_TASK
    computing = measured.s * RATINGS / cores
    sent = ITEMS * measured.a
    sent_out = tasks * ITEMS * 4 * (FACTORS + 1)
    moving = (2 * sent + sent_out) / NETWORK
    epoch = computing + moving + measured.f
    memory = bytes_of_sums(ITEMS) + ITEMS * 4 * FACTORS + BLOCK + measured.python
    once = measured.once * RATINGS / cores
    mllib = USERS * distinct(RATINGS / USERS, cores) + ITEMS * cores
    return {
        "tasks": f"{tasks:,}",
        "computing, s": f"{computing:,.0f}",
        "on the network, s": f"{moving:.1f}",
        "minutes per epoch": f"{epoch / 60:.1f}",
        "minutes of packing, once": f"{once / 60:.1f}",
        f"minutes of both, {EPOCHS} epochs": f"{(once + EPOCHS * epoch) / 60:.0f}",
        "read per epoch, GB": f"{RATINGS * measured.p / GB:.0f}",
        "shuffled per epoch, GB": f"{tasks * sent / GB:.1f}",
        "sent out per epoch, GB": f"{sent_out / GB:.2f}",
        "memory of a task, GB": f"{memory / GB:.2f}",
        "MLlib shuffles, TB": f"{mllib * measured.v / TB:.1f}",
    }


def device_costs(devices: int) -> dict[str, str]:
    """What an epoch takes at least on accelerators that each have a share of the rows."""
    d = FACTORS + 1
    padded = PADDING * RATINGS
    moved = 2 * padded * (4 * 4 * d + 12) + (USERS + ITEMS) * 12 * d**2
    computing = flops(USERS, ITEMS, RATINGS) / FLOPS
    sent = 2 * padded * 12 + USERS * 8 * d
    return {
        "reading and writing its memory, s": f"{moved / BANDWIDTH / devices:.1f}",
        "computing, s": f"{computing / devices:.1f}",
        "ratings and rows over the bus, s": f"{sent / BUS / devices:.1f}",
        "seconds of an epoch at least": (
            f"{max(moved / BANDWIDTH, computing, sent / BUS) / devices:.1f}"
        ),
        "seconds of an epoch, measured": "not measured",
    }


def measured_table(rows: list[Row]) -> str:
    """What was counted, at each size."""
    counted = [row for row in rows if row["what"] == "counters"]
    return markdown(
        [
            {
                "ratings": f"{row['ratings'] / 1e6:.1f} million",
                "by": row["who"],
                "epoch, s": f"{row['epoch_seconds']:.1f}",
                "shuffled per epoch, MB": f"{row['epoch_bytes'] / 1e6:,.0f}",
                "peak memory, MB": f"{row['peak_mb']:,.0f}",
            }
            for row in sorted(counted, key=lambda row: (row["ratings"], row["who"]))
        ]
    )


def heap_table(rows: list[Row]) -> str:
    """With how little memory each does."""
    return markdown(
        [
            {
                "ratings": f"{row['ratings'] / 1e6:.1f} million",
                "by": row["who"],
                "factors": next(iter(row["settings"].values())),
                "least heap": row["heap"],
                "peak memory (PSS), MB": f"{row['pss_mb']:,.0f}",
                "of which Python's": f"{row['python_pss_mb']:,.0f}",
            }
            for row in rows
            if row["what"] == "memory"
        ]
    )


def duel_table(rows: list[Row]) -> str:
    """Who takes how long to the same error."""
    return markdown(
        [
            {
                "data": row["data"],
                "by": row["who"],
                "settings": ", ".join(f"{name} {n:g}" for name, n in row["settings"].items()),
                "epochs": row["epochs"],
                "RMSE": row["rmse"],
                "CPU s": f"{row['cpu_seconds']:.1f}",
                "shuffled per epoch, MB": f"{max(row['epoch_bytes'], 0.0) / 1e6:,.0f}",
                "peak memory, MB": f"{row['peak_mb']:,.0f}",
                "times as fast": f"{row['ratio']:.1f}" if "ratio" in row else None,
            }
            for row in rows
            if row["what"] == "time"
        ]
    )


def letters(measured: Measured) -> str:
    """The measured numbers that the formulas start from."""
    rows = [
        ("s", "core seconds per rating and epoch", f"{measured.s * 1e6:.2f} µs"),
        ("f", "seconds of an epoch whatever the ratings", f"{measured.f:.2f} s"),
        (
            "o",
            "core seconds per rating, once: cleaning, numbering, packing, the last pass",
            f"{measured.once * 1e6:.1f} µs",
        ),
        ("p", "packed bytes per rating", f"{measured.p:.2f}"),
        ("m", "bytes of the model per user", f"{measured.m:.0f}"),
        ("a", "bytes that a task sends per item and epoch", f"{measured.a:,.0f}"),
        (
            "y",
            "bytes of a task's process beside its sums and its block",
            f"{measured.python / 1e6:.0f} MB",
        ),
        ("v", "bytes of one copy of a vector as MLlib sends it", f"{measured.v:.0f}"),
        ("", "what that line is off at most, at a measured size", f"{measured.off:.1f} s"),
        ("", "flop/s of a core in an epoch, all in all", f"{measured.rate / 1e9:.1f} GF/s"),
    ]
    names = ("letter", "measured", "value")
    return markdown([dict(zip(names, row, strict=True)) for row in rows])


def totals(measured: Measured) -> str:
    """What does not depend on the cores."""
    return "\n".join(
        [
            f"* An epoch takes {flops(USERS, ITEMS, RATINGS):.1e} flops.",
            f"* The packed ratings take {RATINGS * measured.p / GB:.0f} GB, and the users' part "
            f"of the model, with ids and histories, {USERS * measured.m / GB:.0f} GB, in files "
            "that the tasks write.",
            f"* The items' factors take {ITEMS * 4 * FACTORS / 1e6:.1f} MB, and their sums "
            f"{bytes_of_sums(ITEMS) / GB:.2f} GB in a task with the vectors of AVX-512 (with AVX2 "
            f"{bytes_of_sums(ITEMS, AVX2) / GB:.2f} GB); what follows is with AVX-512.",
        ]
    )


def tables() -> dict[str, str]:
    """All that the page takes from here, by the name of the place."""
    rows = [json.loads(text) for text in ROWS.read_text(encoding="utf-8").splitlines()]
    measured = Measured.of(rows)
    columns = {f"{cores:,}": costs(measured, cores) for cores in CORES}
    extended = [
        {"cores": name} | {cores: column[name] for cores, column in columns.items()}
        for name in next(iter(columns.values()))
    ]
    devices = {f"{n}": device_costs(n) for n in DEVICES}
    bounds = [
        {"devices": name} | {n: column[name] for n, column in devices.items()}
        for name in next(iter(devices.values()))
    ]
    return {
        "duels": duel_table(rows),
        "counted": measured_table(rows),
        "heaps": heap_table(rows),
        "letters": letters(measured),
        "totals": totals(measured),
        "costs": markdown(extended),
        "devices": markdown(bounds),
    }


def filled(page: str) -> str:
    """The page with its tables written anew."""
    return with_tables(page, tables())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true", help="into docs/cluster.md")
    if options.parse_args().write:
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    for name, table in tables().items():
        print(f"{name}:", table, "", sep="\n")


if __name__ == "__main__":
    main()
