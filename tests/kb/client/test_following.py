"""kb.client.following: events in whatever pieces they come, and when to connect again"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.client import DeadlineExceeded, RetryPolicy, TaskView, Unreachable
from kb.client.conversation import Answer, Broken
from kb.client.errors import KeyRefused, TaskNotFound, UnexpectedAnswer
from kb.client.following import Following

TASK = {
    **{"id": "t", "kind": "put", "state": "queued", "article_id": "a", "created": "2026-01-01"},
    **{"ended": None, "stage": "", "steps_done": 0, "steps_total": None, "report": None},
    "error": None,
}
LAST = TASK | {"state": "done", "ended": "2026-01-01"}


def event(number: int, task: object = TASK) -> str:
    return f"id: {number}\nevent: task\ndata: {json.dumps(task)}\n\n"


class Clock:
    now = 0.0


def following(
    clock: Clock, timeout_s: float | None = None, policy: RetryPolicy | None = None
) -> Following:
    policy = policy or RetryPolicy()
    return Following("t", policy, "http://kb", timeout_s, lambda: clock.now, lambda: 1.0)


@given(
    st.lists(st.integers(1, 40), max_size=60),
    st.sampled_from(["\n", "\r\n"]),
)
def test_events_are_the_same_in_whatever_pieces_they_come(sizes: list[int], end: str) -> None:
    stream = f"{event(3)}: \n\n{event(12)}{event(13, LAST)}".replace("\n", end).encode()
    course = following(Clock())
    tasks: list[TaskView] = []
    for size in [*sizes, len(stream)]:
        assert not course.has_ended or not stream
        piece, stream = stream[:size], stream[size:]
        tasks += course.feed(piece)
    assert [task.state for task in tasks] == ["queued", "queued", "done"]
    assert course.has_ended
    assert course.call.headers["Last-Event-ID"] == "13"


def test_half_an_event_is_forgotten_with_its_connection() -> None:
    course = following(Clock())
    whole = event(3).encode()
    assert len(list(course.feed(whole + whole[:20]))) == 1
    assert course.pause_s(Broken.CONNECTION) >= 0
    assert [task.id for task in course.feed(whole)] == ["t"]


def test_a_service_that_is_gone_is_tried_for_a_minute_and_each_word_of_it_begins_that_anew() -> (
    None
):
    clock = Clock()
    course = following(clock)
    for _ in range(3):
        pauses = []
        with pytest.raises(Unreachable):
            while True:
                pauses.append(course.pause_s(Broken.CONNECTION))
                clock.now += pauses[-1]
        assert pauses[:3] == [0.25, 0.5, 1.0]
        assert 50 < sum(pauses) <= 60
        list(course.feed(b": \n\n"))


def test_where_nothing_is_asked_twice_a_stream_is_not_either() -> None:
    course = following(Clock(), policy=RetryPolicy(attempts=1))
    with pytest.raises(Unreachable):
        course.pause_s(Broken.CONNECTION)


@pytest.mark.parametrize(
    ("heard", "error"),
    [
        (Answer(404, {}, b""), TaskNotFound),
        (Answer(403, {}, b""), KeyRefused),
        (Answer(200, {"content-type": "text/html"}, b"<html>"), UnexpectedAnswer),
        (Broken.CERTIFICATE, Unreachable),
    ],
)
def test_what_no_waiting_mends_is_told_at_once(
    heard: Answer | Broken, error: type[Exception]
) -> None:
    with pytest.raises(error):
        following(Clock()).pause_s(heard)


def test_a_service_that_asks_to_wait_is_waited_for() -> None:
    course = following(Clock())
    assert course.pause_s(Answer(503, {"retry-after": "7"}, b"")) == 7.25
    assert course.pause_s(Broken.LATE) == 0.5


def test_the_time_given_bounds_silence_pauses_and_all() -> None:
    clock = Clock()
    course = following(clock, timeout_s=10)
    assert course.silence_s == 10
    assert course.pause_s(Answer(503, {"retry-after": "20"}, b"")) == 10
    clock.now = 10
    with pytest.raises(DeadlineExceeded, match="10 s"):
        list(course.feed(event(3).encode()))
    last = following(clock, timeout_s=0)
    assert [task.state for task in last.feed(event(3, LAST).encode())] == ["done"]
