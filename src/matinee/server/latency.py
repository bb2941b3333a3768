"""How long something took, from the buckets of a Prometheus histogram.

A quantile is given as the bound of its bucket, which it does not exceed. A value between the bounds
would suppose how values are spread within a bucket, which nobody counted.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from prometheus_client import Metric


class Latency(NamedTuple):
    """How many values were at most each bound, in seconds; the largest bound is infinite."""

    counts: Mapping[float, int]

    @property
    def n(self) -> int:
        """The number of values."""
        return max(self.counts.values())

    def bound(self, share: float) -> float | None:
        """The least bound that a share of the values is within; None where it is infinite."""
        least = min(bound for bound, count in self.counts.items() if count >= share * self.n)
        return None if math.isinf(least) else least


def latencies(metrics: Iterable[Metric], name: str, label: str) -> dict[str, Latency]:
    """The latency for each value of a label of the histogram ``name`` that counted anything."""
    counts: dict[str, dict[float, int]] = defaultdict(dict)
    for metric in metrics:
        for sample in metric.samples:
            if sample.name == f"{name}_bucket":
                counts[sample.labels[label]][float(sample.labels["le"])] = int(sample.value)
    return {one: Latency(of) for one, of in counts.items() if any(of.values())}
