"""Counters of a running server in the Prometheus format. No label ever holds an id."""

import os
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from matinee.feedback.exposures import ArmOutcome
from matinee.server.latency import Latency, latencies
from matinee.server.snapshot import ModelSnapshot

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where workers share counters
LIST_SECONDS = "matinee_list_duration_seconds"
BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class ServerMetrics:
    """The counters of one server, in its own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.facts = CollectorRegistry()  # the same in every worker
        self.seconds = Histogram(
            "matinee_http_request_duration_seconds",
            "Time to answer a request.",
            ["route", "method", "status"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.lists = Counter(
            "matinee_recommendations",
            "Recommendation lists, by strategy.",
            ["strategy"],
            registry=self.registry,
        )
        self.events = Counter(
            "matinee_feedback_events", "Rows of feedback.", ["result"], registry=self.registry
        )
        self.actions = Counter(
            "matinee_actions", "Actions beside ratings, by kind.", ["kind"], registry=self.registry
        )
        self.reloads = Counter(
            "matinee_model_reloads", "Reloads of the model.", ["result"], registry=self.registry
        )
        self.shown = self._of_arm("matinee_impressions", "Items of lists that were shown.")
        self.clicked = self._of_arm("matinee_clicks", "Impressions that were clicked.")
        self.converted = self._of_arm("matinee_conversions", "Impressions with a conversion.")
        self.covered = self._of_arm("matinee_items_shown", "Different items that were shown.")
        self.list_seconds = Histogram(
            LIST_SECONDS,
            "Time to compute a list, by model.",
            ["arm"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.model = Info("matinee_model", "The serving model.", registry=self.facts)
        self.loaded = Gauge(
            "matinee_model_loaded_timestamp_seconds",
            "When the serving model was loaded.",
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )

    def _of_arm(self, name: str, meaning: str) -> Gauge:
        return Gauge(
            name,
            f"{meaning} Read from the store.",
            ["arm"],
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )

    def set_model(self, snapshot: ModelSnapshot) -> None:
        """Record which model serves from now on."""
        self.model.info({"version": snapshot.version, "algorithm": snapshot.model.algorithm})
        self.loaded.set(snapshot.loaded_at)

    def set_outcomes(self, outcomes: Mapping[str, ArmOutcome]) -> None:
        """Record what became of the lists that were shown."""
        for name, outcome in outcomes.items():
            self.shown.labels(name).set(outcome.exposures)
            self.clicked.labels(name).set(outcome.clicks)
            self.converted.labels(name).set(outcome.conversions)
            self.covered.labels(name).set(outcome.items)

    def list_latencies(self) -> dict[str, Latency]:
        """How long lists took to compute, by model: of all workers, where there are several."""
        return latencies(self._all_workers().collect(), LIST_SECONDS, "arm")

    def text(self) -> bytes:
        """All metrics in the Prometheus text format: of all workers, where there are several."""
        return generate_latest(self._all_workers()) + generate_latest(self.facts)

    def _all_workers(self) -> CollectorRegistry:
        if METRICS_FOLDER not in os.environ:
            return self.registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return registry
