"""The short form of `make growth`, but for the figures"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kb import KnowledgeBase
from support.places import ROOT


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    """The benchmarks are no part of what is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        yield


def test_real_articles_come_first_and_mixtures_after_them_the_same_each_time(
    index_path: Path, knowledge_base: KnowledgeBase
) -> None:
    from benchmarks.mixtures import Mixtures

    lines = list(Mixtures(index_path).articles(2 * knowledge_base.passage_count))
    assert lines == list(Mixtures(index_path).articles(2 * knowledge_base.passage_count))
    real = [line for line in lines if not line["id"].startswith("mixture-")]
    assert sorted(line["id"] for line in real) == sorted(
        summary.id for summary in knowledge_base.articles(limit=100)
    )
    assert lines[: len(real)] == real
    for line in real:
        article = knowledge_base.article(line["id"])
        assert [part["text"] for part in line["sections"]] == [
            section.text for section in article.sections
        ]
    assert len({line["id"] for line in lines}) == len(lines) > len(real)


def test_a_mixed_text_has_a_mixed_vector(index_path: Path) -> None:
    from benchmarks.mixtures import Mixtures

    mixtures = Mixtures(index_path)
    vector = mixtures.vector("Sleep starts (3 5)\nCauses\nNobody knows.")
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    sides = [mixtures.vectors[mixtures.passages_of(article)] for article in (3, 5)]
    mixed = 0.7 * sides[0][:, np.newaxis] + 0.3 * sides[1][np.newaxis]
    mixed /= np.linalg.norm(mixed, axis=2, keepdims=True)
    assert (mixed @ vector).max() == pytest.approx(1, abs=1e-5)


def test_the_report_fits_the_exponent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.growth_report import COLUMNS, report

    for passages in (1000, 10_000, 100_000):
        values = dict.fromkeys(COLUMNS, passages / 10) | {"p50_ms": 2 * passages**0.5}
        (tmp_path / f"build-{passages}.json").write_text(json.dumps({"passages": passages}))
        (tmp_path / f"ask-{passages}.json").write_text(json.dumps(values))
    report(tmp_path, None)
    table = capsys.readouterr().out.splitlines()
    assert table[2].startswith("| 1,000 | 63.2")
    assert table[5].startswith("| exponent | 0.5 | 1.0 |")
    assert json.loads((tmp_path / "growth.json").read_text())["last"]["rebuild_s"] == 1.0
