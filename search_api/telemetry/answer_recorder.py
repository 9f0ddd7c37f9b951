"""The telemetry of each answered question: metrics, a trace, and the query log where that is on."""

from __future__ import annotations

from kb.schema.results import SearchResponse
from search_api.telemetry.metrics import Metrics
from search_api.telemetry.query_log import QueryLog
from search_api.telemetry.tracing import Tracing


class AnswerRecorder:
    """Called with each answer: counts it, traces it, and logs its question where the operator has turned that on."""

    def __init__(
        self, metrics: Metrics, tracing: Tracing | None, query_log: QueryLog | None
    ) -> None:
        self._metrics = metrics
        self._tracing = tracing
        self._query_log = query_log

    def __call__(self, response: SearchResponse) -> None:
        self._metrics.question(response.answered, response.timings)
        if self._tracing is not None:
            self._tracing.question(response.generation, response.timings)
        if self._query_log is not None and not self._query_log.record(response):
            self._metrics.query_log_failed()
