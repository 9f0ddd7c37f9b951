"""Prometheus metrics, right with any number of workers.

Each worker counts into memory-mapped files of its own, and the worker that is asked for `/metrics` adds up all of them
(prometheus-client's multiprocess mode, on where PROMETHEUS_MULTIPROC_DIR is set, as the supervisor sets it). So one
address covers the whole service, and the counts of a dead worker stay. Index metrics describe the index of the worker
that was asked. A label is a route as declared, a status, a step or a reason, never a value that a client chose.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from kb.schema.errors import IndexUnusable
from search_api.state.live import LiveIndex

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each, which nothing reads

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075),
    *(0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0),
)


class _Queue(Protocol):
    @property
    def active(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def capacity(self) -> int: ...


class Metrics:
    """The metrics of one worker. Counting takes a microsecond or two and may be done from any thread."""

    def __init__(self, live: LiveIndex, queue: _Queue) -> None:
        self._registry = registry = CollectorRegistry()
        self._queue = queue
        self._requests = Counter(
            "kb_http_requests_total",
            "Requests by method, route and status; status 0 where the client went away.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._request_seconds = Histogram(
            "kb_http_request_duration_seconds",
            "From a request's head to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._questions = Counter(
            "kb_questions_total",
            "Questions answered, by how far the answer can be trusted.",
            ("answered",),
            registry=registry,
        )
        self._step_seconds = Histogram(
            "kb_question_step_seconds",
            "Answering a question, by step; `total` is all of them.",
            ("step",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._wait_seconds = Histogram(
            "kb_line_wait_seconds",
            "Time in the queue before a request is admitted.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._shed = Counter(
            "kb_shed_total",
            "Requests not worked on or not answered in time, by reason.",
            ("reason",),
            registry=registry,
        )
        self._failures = Counter(
            "kb_failures_total", "Faults of the service itself, each in its log.", registry=registry
        )
        self._query_log_failures = Counter(
            "kb_query_log_failures_total",
            "Questions that the query log could not keep.",
            registry=registry,
        )
        self._active = Gauge(
            "kb_requests_at_work",
            "Requests at work.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._waiting = Gauge(
            "kb_requests_waiting",
            "Requests in the queue.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._capacity = Gauge(
            "kb_places",
            "Maximum number of requests at work.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._memory = Gauge(
            "kb_worker_resident_bytes",
            "Memory of a worker, the shared pages of the index included.",
            multiprocess_mode="liveall",
            registry=registry,
        )
        self._index = _IndexCollector(live)
        for reason in ("line_full", "line_slow", "gone", "deadline", "rate", "tasks_full"):
            self._shed.labels(reason)
        self.sample()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that has ended."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def question(self, answered: str, timings_ms: Mapping[str, float]) -> None:
        """Count a question that was answered; `timings_ms` are milliseconds by step."""
        self._questions.labels(answered).inc()
        for step, milliseconds in timings_ms.items():
            self._step_seconds.labels(step).observe(milliseconds / 1000)

    def waited(self, seconds: float) -> None:
        """Count a request that was admitted, by its wait."""
        self._wait_seconds.observe(seconds)

    def shed(self, reason: str) -> None:
        """Count a request that was refused or abandoned."""
        self._shed.labels(reason).inc()

    def failed(self) -> None:
        """Count a fault of the service."""
        self._failures.inc()

    def query_log_failed(self) -> None:
        """Count a question that could not be logged."""
        self._query_log_failures.inc()

    def sample(self) -> None:
        """Set the gauges to the current values."""
        self._active.set(self._queue.active)
        self._waiting.set(self._queue.waiting)
        self._capacity.set(self._queue.capacity)
        self._memory.set(_resident_bytes())

    def exposition(self) -> bytes:
        """All metrics in Prometheus's text format. Reads files where there are several workers: call it in a thread."""
        self.sample()
        folder = os.environ.get(FOLDER_VARIABLE)
        if folder is None:
            return generate_latest(self._registry) + generate_latest(_alone(self._index, True))
        _forget_the_dead(Path(folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + generate_latest(_alone(self._index, False))


class _IndexCollector(Collector):
    """Metrics of the index that this worker serves."""

    def __init__(self, live: LiveIndex) -> None:
        self._live = live

    def collect(self) -> Iterable[Metric]:
        """The metrics now. While nothing is served, only `kb_index_up`, which is 0."""
        try:
            with self._live.use() as served:
                generation, counts = served.generation, served.manifest.counts
                model, created = served.manifest.model.name, served.manifest.created
        except IndexUnusable:
            yield GaugeMetricFamily("kb_index_up", "Whether an index is served.", 0)
            return
        yield GaugeMetricFamily("kb_index_up", "Whether an index is served.", 1)
        degraded = float(self._live.failure is not None)
        text = "Whether a newer index was published that does not open."
        yield GaugeMetricFamily("kb_index_degraded", text, degraded)
        info = InfoMetricFamily("kb_generation", "The generation that answers.")
        info.add_metric([], {"generation": generation, "model": model, "created": created})
        yield info
        for name, count in (
            ("articles", counts.articles),
            ("sections", counts.sections),
            ("passages", counts.passages),
        ):
            yield GaugeMetricFamily(f"kb_{name}", f"How many {name} the index holds.", count)


def _alone(collector: Collector, with_process: bool) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(collector)
    if with_process:
        ProcessCollector(registry=registry)
    return registry


def _forget_the_dead(folder: Path) -> None:
    """Remove the gauges of dead workers from the sums. Their counts stay."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not Path(f"/proc/{pid}").exists():
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def _resident_bytes() -> int:
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:  # no Linux
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
