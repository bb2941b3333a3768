"""Evaluation results that a server shows: the latest comparison of a run record, and a k-curve."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee.errors import MatineeError
from matinee.evaluation.run_log import Record

CURVE_FIELDS = {"points", "metric", "chosen", "folds", "rule", "higher_is_better"}


@dataclass(frozen=True)
class EvaluationRecord:
    """Metrics of algorithms on one split, the origin of that split, and error by n_factors."""

    comparison: list[dict[str, Any]] = field(default_factory=list)
    origin: Mapping[str, Any] = field(default_factory=dict)
    curve: Mapping[str, Any] | None = None

    @classmethod
    def read(cls, record: Path | None, curve: Path | None) -> "EvaluationRecord":
        """Read a record of comparisons and the output of ``matinee k-curve --json``.

        Raises MatineeError for a file that is missing or of another kind.
        """
        runs = [] if record is None else Record.of(record).runs()
        comparisons = [run for run in runs if run.get("what") == "comparison"]
        rows, origin = latest_comparison(comparisons)
        return cls(rows, origin, None if curve is None else read_curve(curve))


def latest_comparison(
    runs: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], Mapping[str, Any]]:
    """Metrics of all algorithms compared on the split of the last run, and its origin."""
    runs = [run for run in runs if not run["entry"]["failed"]]
    if not runs:
        return [], {}
    origin = runs[-1]["origin"]
    same_split = [
        run["entry"] for run in runs if run["origin"]["fingerprints"] == origin["fingerprints"]
    ]
    latest = {entry["name"]: entry for entry in same_split}
    rows = [
        {
            "algorithm": name,
            **entry["metrics"],
            "fit_seconds": entry["fit_seconds"],
            "intervals": entry["intervals"],
        }
        for name, entry in latest.items()
    ]
    return rows, origin


def read_curve(path: Path) -> dict[str, Any]:
    """Read a k-curve from JSON. Raises MatineeError for any other content."""
    try:
        curve = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        curve = None
    if not isinstance(curve, dict) or not set(curve) >= CURVE_FIELDS:
        raise MatineeError(
            f"{path} is no k-curve; write one with: matinee k-curve DATA --json > {path}"
        )
    return curve
