"""Questions made to hurt: some of those that `make hostile` times by the thousand."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote_plus

import pytest
from fastapi.testclient import TestClient

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "hostile.py"
COUNT = 70


@pytest.fixture(scope="module")
def hostile() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hostile", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["hostile"] = module
    spec.loader.exec_module(module)
    return module


def test_no_hostile_question_is_more_than_a_question_or_a_clients_mistake(
    client: TestClient, hostile: ModuleType
) -> None:
    statuses = set()
    for asked in hostile.hostile_requests(COUNT, seed=1):
        if asked.body is None:
            response = client.get(asked.path)
        else:
            json_type = {"Content-Type": "application/json"}
            response = client.post(asked.path, content=asked.body, headers=json_type)
        statuses.add(response.status_code)
        assert response.status_code in (200, 400, 404, 409, 413, 422), asked.kind
        assert response.headers["cache-control"] == "no-store"
        if response.status_code == 200:
            answer = response.json()
            assert len(answer["results"]) <= 100
            assert answer["total"] <= 1000
        else:
            problem = response.json()
            assert problem["status"] == response.status_code
            # Not even one of its longer words: the questions are made of a few.
            sent = asked.body.decode(errors="replace") if asked.body else unquote_plus(asked.path)
            words = {word for word in hostile.COMMON if len(word) > 5 and word in sent}
            assert not any(word in response.text for word in words - {"health"}), asked.kind
    assert {200, 413, 422} <= statuses


def test_the_questions_are_the_same_every_time_and_of_every_kind(hostile: ModuleType) -> None:
    asked = list(hostile.hostile_requests(100))
    assert asked == list(hostile.hostile_requests(100))
    assert {each.kind for each in asked} == hostile.KINDS.keys()
    assert max(len(each.body or b"") for each in asked) >= 1_000_000
