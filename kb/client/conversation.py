"""Retries: what to send, how long to wait, and when to give up. Shared by both clients.

`converse` is a generator that does no input or output itself. It asks its driver to send or to wait, and receives the
result. So the same retries serve sync and async code, and can be tested without a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import count
from typing import Any, TypeVar

from kb.client.calls import Call
from kb.client.errors import DeadlineExceeded, ServiceError, Unreachable, error_of
from kb.schema.errors import InvalidRequest

T = TypeVar("T")

TRANSIENT_STATUSES = frozenset({429, 502, 503, 504})
"""Statuses to retry: the service asks for a retry, or a proxy could not reach the service."""

_LEAST_PAUSE_S = 0.1
"""Minimum pause before retrying a change, whose attempts are not limited in number."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long and how often a call is tried.

    `deadline_s` bounds a whole call, waiting included, unless the call has its own. `attempts` includes the first.
    A change, and following a task, are limited by time instead: they end once the service has not answered for
    `outage_s` seconds, so they outlast a restart. If `attempts` is 1, they are not retried either. The pause before
    the next attempt is random between 0 and `base_s`, doubled each time up to `cap_s` ("full jitter": Brooker,
    Exponential Backoff And Jitter, AWS Architecture Blog, 2015). It is added to the service's `Retry-After`.
    """

    attempts: int = 4
    deadline_s: float = 30.0
    outage_s: float = 60.0
    base_s: float = 0.25
    cap_s: float = 8.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise InvalidRequest("attempts", f"attempts is {self.attempts}; it must be at least 1.")
        for name in ("deadline_s", "outage_s"):
            value = getattr(self, name)
            if not value > 0:
                raise InvalidRequest(name, f"{name} is {value}; it must be more than 0.")

    def pause_s(self, attempt: int, retry_after_s: float | None, chance: float) -> float:
        """Seconds to wait after attempt number `attempt`, counted from 0. `chance` is random, 0 to 1."""
        return (retry_after_s or 0.0) + chance * min(self.cap_s, self.base_s * 2.0**attempt)


@dataclass(frozen=True, slots=True)
class Send:
    """Send the call, and give up after `timeout_s` seconds."""

    timeout_s: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. The names in `headers` are in lower case, `content` is decompressed."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Broken(Enum):
    """Why there is no response."""

    CONNECTION = "There is no connection to {url}, or it broke. Does the service run there?"
    CERTIFICATE = "The TLS certificate of {url} is not accepted."
    LATE = "No answer came from {url} within the time given."
    UNREADABLE = "The response from {url} is not valid HTTP. Is this the address of the service?"


Heard = Answer | Broken | None


def converse(
    call: Call[T],
    policy: RetryPolicy,
    url: str,
    now: Callable[[], float],
    chance: Callable[[], float],
) -> Generator[Send | Wait, Heard, T]:
    """Send `call` until it is answered. Raises ServiceError.

    The driver answers `Send` with an Answer or a Broken, and `Wait` with None. `url` is the service's, for messages.
    `now` is a monotonic clock in seconds. `chance` gives random numbers from 0 to 1. The last error is raised at once
    if the next wait would pass the deadline.
    """
    ends = now() + (policy.deadline_s if call.deadline_s is None else call.deadline_s)
    attempts = policy.attempts if call.retried else 1
    gives_up = ends
    for attempt in count():
        heard = yield Send(max(0.001, ends - now()))
        assert heard is not None
        if isinstance(heard, Answer) and 200 <= heard.status < 300:
            return call.read(heard.content, heard.headers)
        error = error_for(heard, call, url)
        pause = policy.pause_s(attempt, error.retry_after_s, chance())
        if call.is_change and attempts > 1:
            gives_up = min(ends, now() + policy.outage_s) if attempt == 0 else gives_up
            pause = max(pause, _LEAST_PAUSE_S)
            is_last = False
        else:
            is_last = attempt + 1 >= attempts
        if not is_transient(heard) or is_last or now() + pause >= gives_up:
            raise error
        yield Wait(pause)
    raise AssertionError("the last attempt returns or raises")


def is_transient(heard: Answer | Broken) -> bool:
    """Whether a retry may succeed."""
    return heard is Broken.CONNECTION or (
        isinstance(heard, Answer) and heard.status in TRANSIENT_STATUSES
    )


def error_for(heard: Answer | Broken, call: Call[Any], url: str) -> ServiceError:
    """The exception for a failed call."""
    if isinstance(heard, Answer):
        return error_of(heard.status, heard.headers, heard.content, call.private, call.missing)
    return (DeadlineExceeded if heard is Broken.LATE else Unreachable)(heard.value.format(url=url))
