"""kb.evaluation.fitting"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from kb.evaluation.fitting import MEASURES, Fit, confidence_interval, fit, measured
from kb.evaluation.weight_grid import SIGNALS, JudgedTopic, judge, weight_row
from kb.ranking.fusion import DEFAULT_WEIGHTS, FusionWeights
from kb.ranking.tuned_weights import Gain
from kb.schema.errors import KbError

UNITS = [f"unit-{number:02}" for number in range(50)]
PLANTED = FusionWeights(keyword=0.6, dense=0.05, sentence=0.05, name=0.05, focus=0.2, wording=0.05)

Grades = Callable[[NDArray[np.float64], np.random.Generator], dict[str, int]]


def made(seed: int, count: int, grades: Grades) -> list[JudgedTopic]:
    """Topics with 50 units each, of one passage, and random signals."""
    random = np.random.default_rng(seed)
    topics = []
    for number in range(count):
        signals = random.random((len(UNITS), len(SIGNALS)))
        topics.append(judge(f"{seed}-{number}", signals, UNITS, grades(signals, random)))
    return topics


def by_planted_weights(signals: NDArray[np.float64], random: np.random.Generator) -> dict[str, int]:
    """The best three units under the planted weights, beside some noise, are relevant; fifteen others are not."""
    scores = signals @ weight_row(PLANTED) + random.normal(0, 0.03, len(signals))
    order = np.argsort(-scores)
    return {UNITS[place]: 1 for place in order[:3]} | {UNITS[place]: 0 for place in order[3:18]}


def by_chance(signals: NDArray[np.float64], random: np.random.Generator) -> dict[str, int]:
    places = random.choice(len(signals), 15, replace=False)
    return {UNITS[place]: int(number < 3) for number, place in enumerate(places)}


def by_a_pool_of_keywords(
    signals: NDArray[np.float64], random: np.random.Generator
) -> dict[str, int]:
    """What has the words was judged, and of that what has most of them is not relevant."""
    pool = np.argsort(-signals[:, 0])[:10]
    return {UNITS[place]: int(number >= 5) for number, place in enumerate(pool)}


def distance(weights: FusionWeights) -> float:
    return float(np.abs(weight_row(weights) - weight_row(PLANTED)).sum())


def means(topics: list[JudgedTopic], weights: FusionWeights) -> list[float]:
    values: list[float] = (
        measured(topics, weight_row(weights)[np.newaxis]).mean(axis=(1, 2)).tolist()
    )
    return values


@pytest.mark.parametrize("count", [30, 120])
def test_planted_weights_are_approached_and_gain_on_topics_never_seen(count: int) -> None:
    found = fit(made(1, count, by_planted_weights))
    assert found.more_than_noise
    assert (found.topics, found.folds) == (count, 5)
    gain = found.gains["nDCG@10"]
    assert 0 < gain.low < gain.gain < gain.high
    assert distance(found.weights) < 0.7 * distance(DEFAULT_WEIGHTS)
    fresh = made(2, 100, by_planted_weights)
    for before, after in zip(
        means(fresh, DEFAULT_WEIGHTS), means(fresh, found.weights), strict=True
    ):
        assert after > before + 0.03


@pytest.mark.slow
def test_the_more_topics_the_less_the_shipped_weights_hold() -> None:
    topics = made(3, 160, by_planted_weights)
    few, many = fit(topics[:20]).weights, fit(topics).weights
    assert distance(many) < distance(few) < distance(DEFAULT_WEIGHTS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_random_judgments_show_no_gain(seed: int) -> None:
    found = fit(made(seed, 40, by_chance))
    assert not found.more_than_noise
    assert found.gains["nDCG@10"].low <= 0


@pytest.mark.slow
@pytest.mark.parametrize("grades", [by_planted_weights, by_chance, by_a_pool_of_keywords])
def test_weights_that_lose_on_either_measure_are_not_taken(grades: Grades) -> None:
    topics = made(4, 40, grades)
    found = fit(topics)
    before, after = means(topics, DEFAULT_WEIGHTS), means(topics, found.weights)
    assert after[0] >= before[0]
    assert after[1] >= before[1]
    values = weight_row(found.weights)
    assert (values >= 0).all()
    assert values.sum() == pytest.approx(1)


def test_a_pools_bias_is_not_taken_for_a_gain() -> None:
    topics = made(5, 40, by_a_pool_of_keywords)
    words = FusionWeights(keyword=0.6, dense=0.1, sentence=0.1, name=0.1, focus=0.1, wording=0.0)
    (plain, judged), (plain_by_words, judged_by_words) = (
        means(topics, weights) for weights in (DEFAULT_WEIGHTS, words)
    )
    assert plain_by_words > plain  # what tuning would run after if it looked at nDCG alone
    assert judged_by_words < judged
    assert fit(topics).weights.keyword < words.keyword


def test_the_same_topics_give_the_same_result_in_any_order() -> None:
    topics = made(6, 24, by_planted_weights)
    assert fit(topics) == fit(topics[::-1])


def test_few_topics_are_refused_unless_fewer_are_allowed() -> None:
    topics = made(7, 20, by_planted_weights)
    with pytest.raises(KbError, match=r"relevant unit: 19\..* 20 .*--force"):
        fit(topics[:19])
    steps: list[int] = []
    assert fit(topics[:3], 0, lambda: steps.append(1)).folds == 3
    assert len(steps) == 5
    with pytest.raises(KbError, match=r"relevant unit: 1\..* needs two"):
        fit(topics[:1], 0)


def test_more_than_noise_is_an_interval_above_0_and_no_loss_among_the_judged() -> None:
    def of(plain: Gain, judged: Gain, weights: FusionWeights = PLANTED) -> bool:
        gains = dict(zip(MEASURES, (plain, judged), strict=True))
        found = Fit(40, 5, weights, gains)
        assert json.loads(json.dumps(found.to_dict()))["more_than_noise"] == found.more_than_noise
        return found.more_than_noise

    clear, doubtful = Gain(0.5, 0.6, 0.01, 0.2), Gain(0.5, 0.6, -0.01, 0.2)
    loss = Gain(0.5, 0.49, -0.1, 0.1)
    assert of(clear, clear)
    assert of(clear, doubtful)
    assert not of(doubtful, clear)
    assert not of(clear, loss)
    assert not of(clear, clear, DEFAULT_WEIGHTS)


def test_the_interval_is_that_of_the_mean() -> None:
    random = np.random.default_rng(8)
    assert confidence_interval(np.full(30, 0.25), random) == (0.25, 0.25)
    differences = random.normal(0.1, 1, 400)
    half = 1.96 * differences.std() / 20
    low, high = confidence_interval(differences, random)
    assert low == pytest.approx(differences.mean() - half, abs=0.01)
    assert high == pytest.approx(differences.mean() + half, abs=0.01)
