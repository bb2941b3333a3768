"""Evaluation results that a server was started with: comparisons of a run record, and a k-curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matinee.display.plain_data import JsonMapping
from matinee.evaluation.recorded import (
    RecordedComparison,
    latest_of,
    read_curve,
    recorded_comparisons,
)
from matinee.evaluation.run_log import Record


@dataclass(frozen=True)
class EvaluationRecord:
    """Comparisons, that of the latest run being the last, and error by number of factors."""

    comparisons: Sequence[RecordedComparison] = ()
    curve: JsonMapping | None = None

    @classmethod
    def read(cls, record: Path | None, curve: Path | None) -> "EvaluationRecord":
        """Read a record of comparisons and the output of ``matinee k-curve --json``.

        Raises MatineeError for a file that is missing or of another kind.
        """
        comparisons = [] if record is None else recorded_comparisons(Record.of(record))
        return cls(comparisons, None if curve is None else read_curve(curve))

    def comparison_of(self, data_fingerprint: str) -> RecordedComparison:
        """The latest comparison of a model's own data, else the latest of all; may be empty."""
        own = latest_of(self.comparisons, data_fingerprint)
        return own or (self.comparisons[-1] if self.comparisons else RecordedComparison())
