"""What was measured before the server started: the latest comparison, and a k-curve."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee.errors import MatineeError
from matinee.evaluation.run_log import Record

PARTS_OF_CURVE = {"points", "metric", "chosen", "folds", "rule", "higher_is_better"}


@dataclass(frozen=True)
class Measured:
    """Rows of algorithms compared on one split, what split that was, and errors by factors."""

    comparison: list[dict[str, Any]] = field(default_factory=list)
    origin: Mapping[str, Any] = field(default_factory=dict)
    curve: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, record: Path | None, curve: Path | None) -> "Measured":
        """From a record of comparisons and what ``matinee k-curve --json`` printed.

        Raises MatineeError for a file that is neither.
        """
        runs = (
            []
            if record is None
            else [run for run in Record.of(record).runs() if run.get("what") == "comparison"]
        )
        rows, origin = latest(runs)
        return cls(rows, origin, None if curve is None else read_curve(curve))


def latest(runs: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
    """The algorithms that were compared on the same split as the last one, and that split."""
    runs = [run for run in runs if not run["entry"]["failed"]]
    if not runs:
        return [], {}
    origin = runs[-1]["origin"]
    of = origin["fingerprints"]
    entries = {r["entry"]["name"]: r["entry"] for r in runs if r["origin"]["fingerprints"] == of}
    rows = [
        {
            "algorithm": name,
            **entry["metrics"],
            "fit_seconds": entry["fit_seconds"],
            "intervals": entry["intervals"],
        }
        for name, entry in entries.items()
    ]
    return rows, origin


def read_curve(path: Path) -> dict[str, Any]:
    """A k-curve that was printed as JSON. Raises MatineeError for anything else."""
    try:
        curve = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        curve = None
    if not isinstance(curve, dict) or not set(curve) >= PARTS_OF_CURVE:
        raise MatineeError(
            f"{path} is no k-curve; write one with: matinee k-curve DATA --json > {path}"
        )
    return curve
