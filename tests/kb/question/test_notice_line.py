"""kb.question.notice_line: which questions lie above the line, and for which model it holds"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kb.question.notice_line import NoticeLine
from kb.question.notices import NoticeRule, Notices
from kb.question.tokenised import TokenisedText
from kb.schema.results import Notice

LINE = NoticeLine("model", "f00", threshold=0.5, bias=-0.25, weights=(1.0, -2.0))


def test_the_score_is_the_weighted_sum_and_the_bias() -> None:
    vector = np.array([0.6, -0.8], dtype=np.float32)
    assert LINE.score(vector) == pytest.approx(0.6 * 1 + 0.8 * 2 - 0.25)
    assert LINE.crossed(vector)
    assert not LINE.crossed(-vector)


def test_a_line_is_used_with_the_model_it_was_trained_with_alone(tmp_path: Path) -> None:
    path = tmp_path / "line.json"
    LINE.save(path)
    assert NoticeLine.load("f00", path) == LINE
    assert NoticeLine.load("ba4", path) is None


def test_a_conditional_notice_never_fires_by_words_and_is_kept_by_a_generation(
    tmp_path: Path,
) -> None:
    urgent = NoticeRule(Notice("a", "A", "Call.", ()), ((frozenset({"pain"}),),))
    mild = NoticeRule(Notice("b", "B", "If so, call.", (), kind="conditional"), ())
    Notices.save(tmp_path, [urgent, mild])
    loaded = Notices.load(tmp_path)
    assert loaded.conditional == mild.notice
    assert loaded.find(TokenisedText.of("a pain")) == (urgent.notice,)
    assert Notices([urgent]).conditional is None
