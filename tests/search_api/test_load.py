"""The short form of benchmarks/load.py, without its figures: under a rush, nothing but what was promised."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from support.places import ROOT


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    file = ROOT / "benchmarks" / "load.py"
    spec = importlib.util.spec_from_file_location("benchmark_of_load", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their annotations
    spec.loader.exec_module(module)
    return module


def test_a_rush_gets_answers_or_is_told_when_to_come_back_and_then_all_is_as_before(
    bench: ModuleType, index_path: Path
) -> None:
    flags = ["--max-concurrent", "2", "--max-waiting", "6"]
    with bench.service(index_path, flags) as (address, pid):
        questions = bench.questions_of(address)
        calm = asyncio.run(bench.load(address, questions, 2, 1.0))
        before_mb = bench.resident_mb(pid)
        rush = asyncio.run(bench.load(address, questions, 64, 2.0))
        after_mb = bench.resident_mb(pid)
        later = asyncio.run(bench.load(address, questions, 2, 1.0))
    assert set(calm.statuses) == set(later.statuses) == {200}
    assert set(rush.statuses) == {200, 503}
    assert rush.without_retry_after == rush.broken == calm.broken == later.broken == 0
    assert after_mb - before_mb < bench.GROWTH_AT_MOST_MB
