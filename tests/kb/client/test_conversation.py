"""kb.client.conversation: what is asked again, when, and how long all of it may take"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.client import RetryPolicy
from kb.client.calls import Call, articles, health
from kb.client.changes import Accepted, delete_article, put_article
from kb.client.conversation import Answer, Broken, Heard, Send, Wait, converse
from kb.client.errors import (
    DeadlineExceeded,
    ServiceError,
    ServiceUnavailable,
    TooManyRequests,
    Unreachable,
)
from kb.schema.errors import InvalidRequest
from tests.kb.client.test_following import TASK

CALL = articles()
GOOD = Answer(200, {}, b'{"total": 0, "articles": []}')


def held(
    script: Sequence[Heard],
    policy: RetryPolicy,
    call: Call[object] = CALL,  # type: ignore[assignment]
    takes_s: float = 0.0,
    chance: float = 1.0,
) -> tuple[object, list[Send | Wait]]:
    """What a conversation comes to, and its steps, by a clock that only sending (`takes_s`) and waiting move."""
    clock = 0.0
    steps: list[Send | Wait] = []
    heard = iter(script)
    conversation = converse(call, policy, "http://kb", lambda: clock, lambda: chance)
    try:
        step = next(conversation)
        while True:
            steps.append(step)
            if isinstance(step, Wait):
                clock += step.seconds
                step = conversation.send(None)
            else:
                clock += min(takes_s, step.timeout_s)
                step = conversation.send(next(heard))
    except StopIteration as done:
        return done.value, steps
    except ServiceError as error:
        return error, steps


def unavailable(status: int, retry_after: str = "") -> Answer:
    return Answer(status, {"retry-after": retry_after} if retry_after else {}, b"")


@pytest.mark.parametrize("heard", [*map(unavailable, (429, 502, 503, 504)), Broken.CONNECTION])
def test_what_may_pass_is_asked_again(heard: Heard) -> None:
    outcome, steps = held([heard, heard, GOOD], RetryPolicy(attempts=3, base_s=1, cap_s=9))
    assert outcome == CALL.read(GOOD.content, {})
    assert [step.seconds for step in steps if isinstance(step, Wait)] == [1.0, 2.0]


@pytest.mark.parametrize(
    "heard",
    [
        *map(unavailable, (301, 400, 401, 403, 404, 409, 413, 422, 500, 501, 418)),
        *(broken for broken in Broken if broken is not Broken.CONNECTION),
    ],
)
def test_what_will_be_the_same_again_is_asked_once(heard: Heard) -> None:
    outcome, steps = held([heard], RetryPolicy())
    assert isinstance(outcome, ServiceError)
    assert len(steps) == 1


CHANGE = put_article("a", "# A\n\nText.")
ACCEPTED = Answer(202, {}, json.dumps(TASK).encode())


def away_for(seconds: float, chance: float, policy: RetryPolicy) -> tuple[object, float]:
    """What a change comes to whose service is not there for so long, and after how many seconds."""
    clock = 0.0
    conversation = converse(CHANGE, policy, "http://kb", lambda: clock, lambda: chance)
    try:
        step = next(conversation)
        while True:
            heard: Heard = None
            if isinstance(step, Wait):
                clock += step.seconds
            else:
                clock += 0.01
                heard = ACCEPTED if clock > seconds else Broken.CONNECTION
            step = conversation.send(heard)
    except StopIteration as done:
        return done.value, clock
    except ServiceError as error:
        return error, clock


@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
def test_a_change_outlasts_a_restart_of_half_a_minute_by_default(chance: float) -> None:
    outcome, took_s = away_for(30, chance, RetryPolicy())
    assert isinstance(outcome, Accepted)
    assert 30 < took_s < 39
    outcome, took_s = away_for(300, chance, RetryPolicy())
    assert isinstance(outcome, Unreachable)
    assert 50 < took_s <= 61


def test_a_change_is_not_tried_longer_than_its_own_deadline_nor_twice_where_once_is_asked() -> None:
    outcome, steps = held(
        [Broken.CONNECTION] * 99,
        RetryPolicy(),
        delete_article("a", deadline_s=5),  # type: ignore[arg-type]
    )
    assert isinstance(outcome, Unreachable)
    assert 3 < sum(step.seconds for step in steps if isinstance(step, Wait)) < 5
    outcome, steps = held([Broken.CONNECTION], RetryPolicy(attempts=1), CHANGE)  # type: ignore[arg-type]
    assert isinstance(outcome, Unreachable)
    assert len(steps) == 1


def test_a_question_does_not_hang_where_no_service_is() -> None:
    outcome, steps = held([Broken.CONNECTION] * 99, RetryPolicy())
    assert isinstance(outcome, Unreachable)
    assert sum(step.seconds for step in steps if isinstance(step, Wait)) < 2


def test_after_the_last_attempt_the_last_error_counts() -> None:
    outcome, steps = held([Broken.CONNECTION, unavailable(429)], RetryPolicy(attempts=2))
    assert isinstance(outcome, TooManyRequests)
    assert [type(step) for step in steps] == [Send, Wait, Send]
    outcome, _ = held([unavailable(503), Broken.CONNECTION], RetryPolicy(attempts=2))
    assert isinstance(outcome, Unreachable)


def test_a_pause_is_random_doubles_and_has_a_cap() -> None:
    policy = RetryPolicy(base_s=0.5, cap_s=3)
    assert [policy.pause_s(n, None, 1.0) for n in range(5)] == [0.5, 1.0, 2.0, 3, 3]
    assert policy.pause_s(2, None, 0.25) == 0.25 * 2.0
    assert policy.pause_s(9, None, 0.0) == 0


def test_retry_after_is_waited_for_and_more() -> None:
    _, steps = held([unavailable(503, "7"), GOOD], RetryPolicy(base_s=1), chance=0.5)
    assert steps[1] == Wait(7 + 0.5)


def test_a_retry_after_beyond_the_deadline_is_told_at_once() -> None:
    outcome, steps = held([unavailable(503, "3600"), GOOD], RetryPolicy(deadline_s=30))
    assert isinstance(outcome, ServiceUnavailable)
    assert outcome.retry_after_s == 3600
    assert len(steps) == 1


def test_what_comes_late_is_a_deadline_exceeded() -> None:
    outcome, _ = held([Broken.LATE], RetryPolicy())
    assert isinstance(outcome, DeadlineExceeded)


def test_a_health_check_says_what_is_now() -> None:
    outcome, steps = held([unavailable(503, "0"), GOOD], RetryPolicy(), health())  # type: ignore[arg-type]
    assert isinstance(outcome, ServiceUnavailable)
    assert len(steps) == 1


@given(
    script=st.lists(
        st.sampled_from(
            [Broken.CONNECTION, unavailable(503), unavailable(429, "2"), unavailable(503, "1000")]
        ),
        min_size=20,
        max_size=20,
    ),
    policy=st.builds(
        RetryPolicy,
        attempts=st.integers(1, 20),
        deadline_s=st.floats(0.01, 60),
        base_s=st.floats(0, 5),
        cap_s=st.floats(0, 9),
    ),
    takes_s=st.floats(0, 20),
    chance=st.floats(0, 1),
)
def test_no_conversation_passes_its_deadline_or_its_attempts(
    script: list[Heard], policy: RetryPolicy, takes_s: float, chance: float
) -> None:
    outcome, steps = held(script, policy, takes_s=takes_s, chance=chance)
    assert isinstance(outcome, ServiceError)
    sent = [step for step in steps if isinstance(step, Send)]
    assert 1 <= len(sent) <= policy.attempts
    spent = 0.0
    for step in steps:
        left = policy.deadline_s - spent
        if isinstance(step, Send):
            assert step.timeout_s <= max(left, 0.001) + 1e-9
            spent += min(takes_s, step.timeout_s)
        else:
            assert step.seconds < left
            spent += step.seconds


@pytest.mark.parametrize(
    "wrong", [{"attempts": 0}, {"deadline_s": 0}, {"deadline_s": float("nan")}, {"outage_s": 0}]
)
def test_a_policy_that_allows_nothing_is_refused(wrong: dict[str, float]) -> None:
    (name,) = wrong
    with pytest.raises(InvalidRequest, match=name):
        replace(RetryPolicy(), **wrong)  # type: ignore[arg-type]
