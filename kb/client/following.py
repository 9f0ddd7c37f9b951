"""Following a task until it has ended, over as many connections as necessary.

The service sends events (WHATWG HTML, 9.2, "Server-sent events") until the task has ended. After a broken connection,
the client reconnects with the id of the last event. A task survives a restart of the service, and so does following
it. As in kb.client.conversation, a `Following` sends nothing itself. The client feeds it the events, and asks it how
long to wait before it connects again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kb.client.calls import Call, parsed, task_path
from kb.client.conversation import Answer, Broken, RetryPolicy, error_for, is_transient
from kb.client.errors import DeadlineExceeded, TaskNotFound, UnexpectedAnswer
from kb.schema.service import TaskView

EVENT_STREAM = "text/event-stream"

MAX_SILENCE_S = 60.0
"""Seconds of silence after which a connection counts as broken. The service sends something every 15 seconds."""


class Following:
    """Follows one task for one caller. `now` is a monotonic clock in seconds, `chance` is random, 0 to 1.

    After `timeout_s` seconds, the next method call raises DeadlineExceeded; the task continues. An unreachable service
    is retried for `policy.outage_s` seconds, or not at all if `attempts` is 1.
    """

    def __init__(
        self,
        task_id: str,
        policy: RetryPolicy,
        url: str,
        timeout_s: float | None,
        now: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        self.has_ended = False
        self._path = f"{task_path(task_id)}/events"
        self._policy = policy
        self._url = url
        self._timeout_s = timeout_s
        self._ends = float("inf") if timeout_s is None else now() + timeout_s
        self._now = now
        self._chance = chance
        self._last_id = self._id = ""  # of the last complete event, and of the one that is arriving
        self._rest = b""
        self._data: list[bytes] = []
        self._broke: float | None = None
        self._attempt = 0

    @property
    def call(self) -> Call[TaskView]:
        """The call for the events that have not arrived yet."""
        headers = {"Accept": EVENT_STREAM, "Cache-Control": "no-store"}
        if self._last_id:
            headers["Last-Event-ID"] = self._last_id
        return Call("GET", self._path, TaskView, headers=headers, missing=TaskNotFound)

    @property
    def silence_s(self) -> float:
        """How long the connection may be silent, in seconds."""
        return max(0.001, min(MAX_SILENCE_S, self._ends - self._now()))

    def feed(self, piece: bytes) -> Iterator[TaskView]:
        """The task, once for each change in the next bytes. Raises UnexpectedAnswer, DeadlineExceeded."""
        self._broke, self._attempt = None, 0
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            name, _, value = line.rstrip(b"\r").partition(b":")
            value = value.removeprefix(b" ")
            if name == b"id":
                self._id = value.decode("ascii", "ignore")
            elif name == b"data":
                self._data.append(value)
            elif not name and not value and self._data:
                task = parsed(TaskView, b"\n".join(self._data))
                self._last_id, self._data = self._id, []
                self.has_ended = task.has_ended
                yield task
        if not self.has_ended:
            self._check()

    def pause_s(self, heard: Answer | Broken) -> float:
        """How long to wait before reconnecting, after a connection that ended with `heard`. Raises ServiceError."""
        self._rest, self._data = b"", []
        self._check()
        if isinstance(heard, Answer) and heard.status < 300:
            raise UnexpectedAnswer(
                f"The response from {self._url} is not a stream of events. Is this the address of the service?"
            )
        error = error_for(heard, self.call, self._url)
        now = self._now()
        self._broke = now if self._broke is None else self._broke
        pause = self._policy.pause_s(self._attempt, error.retry_after_s, self._chance())
        self._attempt += 1
        gives_up = now + pause > self._broke + self._policy.outage_s or self._policy.attempts == 1
        if gives_up or not (is_transient(heard) or heard is Broken.LATE):
            raise error
        return min(pause, max(0.0, self._ends - now))

    def _check(self) -> None:
        if self._now() >= self._ends:
            raise DeadlineExceeded(
                f"The task has not ended within {self._timeout_s:g} s. It continues: follow it again."
            )
