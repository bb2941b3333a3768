"""What the server counts, for Prometheus. No label ever holds an id."""

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

if TYPE_CHECKING:
    from matinee.server.serving import Serving

BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The counters of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "matinee_http_request_duration_seconds",
            "Time to answer a request.",
            ["route", "method", "status"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.lists = Counter(
            "matinee_recommendations",
            "Lists of recommendations, by how they came about.",
            ["strategy"],
            registry=self.registry,
        )
        self.events = Counter(
            "matinee_feedback_events", "Rows of feedback.", ["result"], registry=self.registry
        )
        self.reloads = Counter(
            "matinee_model_reloads", "Reloads of the model.", ["result"], registry=self.registry
        )
        self.model = Info("matinee_model", "The model that answers.", registry=self.registry)
        self.loaded = Gauge(
            "matinee_model_loaded_timestamp_seconds", "When it was loaded.", registry=self.registry
        )

    def model_is(self, serving: "Serving") -> None:
        """Take note of the model that answers from now on."""
        self.model.info({"version": serving.version, "algorithm": serving.model.algorithm})
        self.loaded.set(serving.loaded_at)

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self.registry)
