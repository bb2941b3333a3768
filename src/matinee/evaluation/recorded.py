"""Evaluation results read back from files, and whether they are of the data a model is of."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.errors import MatineeError
from matinee.evaluation.run_log import Record

CURVE_FIELDS = {"points", "metric", "chosen", "folds", "rule", "higher_is_better"}


@dataclass(frozen=True)
class RecordedComparison:
    """The metrics of algorithms on one split, and the origin of that split."""

    rows: Sequence[JsonObject] = ()
    origin: JsonMapping = field(default_factory=dict)

    @property
    def data_fingerprint(self) -> str | None:
        """The fingerprint of the ratings that were split; None where two parts were given."""
        return self.origin.get("data_fingerprint")

    def is_of(self, data_fingerprint: str) -> bool:
        """Whether it was made on some ratings: by splitting them, or with them to train on."""
        trained_on = self.origin.get("fingerprints", {}).get("train")
        return data_fingerprint in (self.data_fingerprint, trained_on)


def recorded_comparisons(record: Record) -> list[RecordedComparison]:
    """The comparisons of a record, one for each split; that of the latest run is the last."""
    by_split: dict[str, list[JsonObject]] = {}
    for run in _finished(record):
        key = json.dumps(run["origin"]["fingerprints"], sort_keys=True)
        by_split[key] = [*by_split.pop(key, []), run]
    return [
        RecordedComparison(_rows(run["entry"] for run in runs), runs[-1]["origin"])
        for runs in by_split.values()
    ]


def latest_of(
    comparisons: Sequence[RecordedComparison], data_fingerprint: str
) -> RecordedComparison | None:
    """The latest comparison that was made on some ratings; None where there is none."""
    own = [one for one in comparisons if one.is_of(data_fingerprint)]
    return own[-1] if own else None


def read_curve(path: Path) -> JsonObject:
    """Read the output of ``matinee k-curve --json``. Raises MatineeError for any other content."""
    try:
        curve = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        curve = None
    if not isinstance(curve, dict) or not set(curve) >= CURVE_FIELDS:
        raise MatineeError(
            f"{path} is no k-curve; write one with: matinee k-curve DATA --json > {path}"
        )
    return curve


def curve_fingerprint(curve: JsonMapping) -> str | None:
    """The fingerprint of the ratings that a k-curve was made on."""
    fingerprint: str | None = curve.get("origin", {}).get("fingerprint")
    return fingerprint


def _finished(record: Record) -> Iterator[JsonObject]:
    for run in record.runs():
        if run.get("what") == "comparison" and not run["entry"]["failed"]:
            yield run


def _rows(entries: Iterator[JsonMapping]) -> list[JsonObject]:
    latest = {entry["name"]: entry for entry in entries}
    return [
        {
            "algorithm": name,
            **entry["metrics"],
            "fit_seconds": entry["fit_seconds"],
            "intervals": entry["intervals"],
        }
        for name, entry in latest.items()
    ]
