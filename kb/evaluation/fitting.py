"""Weights fitted to judged questions, with their gain on questions they were not fitted to.

A fixed search finds the weights that do best on the questions. It starts with draws around the shipped weights from a
Dirichlet distribution, and goes on with ever smaller shifts of weight between signals. The best on few questions owes
much to chance. So the shipped weights count as `SHIPPED_TOPICS` further questions, and the result lies in between.

Judgments are rarely complete, and pooled ones favour the pool's systems. So nDCG@10 counts half as it stands and half
with unjudged units removed. Weights that lose on either are rejected.

The gain is cross-validated: each question is answered with weights fitted to the other folds. The gain is more than
noise if its 95 % interval over the questions lies above 0 (bootstrap, percentiles; Sakai, "Evaluating evaluation
metrics based on the bootstrap", SIGIR 2006).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.evaluation.weight_grid import SIGNALS, JudgedTopic, weight_row
from kb.ranking.fusion import DEFAULT_WEIGHTS, FusionWeights
from kb.ranking.tuned_weights import Gain
from kb.schema.errors import KbError

MEASURES = ("nDCG@10", "nDCG(judged_only=True)@10")
"""As kb.evaluation.measures names them."""

FOLDS = 5

MIN_TOPICS = 20
"""Minimum number of topics: with fewer, an interval says little and a fold holds a handful."""

SHIPPED_TOPICS = 40
"""Number of questions that the shipped weights count as."""

DRAWS = ((256, 5.0), (256, 25.0))
"""Numbers of draws, each with their concentration around the shipped weights."""

SHIFTS = (0.08, 0.04, 0.02, 0.01)
STEPS = FOLDS + 2
"""Steps of a fit, for a progress bar: measuring the draws, a fit for each fold, and one for all topics."""

RESAMPLES = 10_000
SEED = 20260131

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fit:
    """The weights fitted to all questions, and by measure what such weights gain."""

    topics: int
    folds: int
    weights: FusionWeights
    gains: dict[str, Gain]

    @property
    def more_than_noise(self) -> bool:
        """Whether the gain's interval lies above 0, nothing is lost once unjudged units are removed, and the
        weights are not the shipped ones."""
        plain, judged = (self.gains[name] for name in MEASURES)
        return plain.low > 0 and judged.gain >= 0 and self.weights != DEFAULT_WEIGHTS

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "topics": self.topics,
            "folds": self.folds,
            "measures": {
                name: asdict(gain) | {"gain": gain.gain} for name, gain in self.gains.items()
            },
            "shipped_weights": asdict(DEFAULT_WEIGHTS),
            "weights": asdict(self.weights),
            "more_than_noise": self.more_than_noise,
        }


def fit(
    topics: Sequence[JudgedTopic],
    minimum: int = MIN_TOPICS,
    advance: Callable[[], None] = lambda: None,
) -> Fit:
    """Fit and cross-validate. The same topics give the same result, in whatever order.

    `advance` is called `STEPS` times at most. Raises KbError for fewer topics than `minimum`, or than two.
    """
    if len(topics) < minimum:
        raise KbError(
            f"Topics with a relevant unit: {len(topics)}. With fewer than {minimum} chance decides. "
            "Judge more, or use --force."
        )
    if len(topics) < 2:
        raise KbError(
            f"Topics with a relevant unit: {len(topics)}. Cross-validation needs two. Judge more."
        )
    random = np.random.default_rng(SEED)
    by_id = sorted(topics, key=lambda topic: topic.id)
    shuffled = [by_id[place] for place in random.permutation(len(by_id))]
    draws = _draws(random)
    drawn = measured(shuffled, draws)
    advance()

    def fitted(members: NDArray[np.int64]) -> Values:
        weights = _fitted([shuffled[place] for place in members], draws, drawn[:, members])
        advance()
        return weights

    everything = np.arange(len(shuffled))
    folds = min(FOLDS, len(shuffled))
    tuned = np.empty((2, len(shuffled)))
    for held_out in np.array_split(everything, folds):
        weights = fitted(np.setdiff1d(everything, held_out))
        values = measured([shuffled[place] for place in held_out], weights[np.newaxis])
        tuned[:, held_out] = values[:, :, 0]
    shipped = drawn[:, :, 0]
    gains = {
        name: Gain(
            float(before.mean()), float(after.mean()), *confidence_interval(after - before, random)
        )
        for name, before, after in zip(MEASURES, shipped, tuned, strict=True)
    }
    return Fit(len(shuffled), folds, FusionWeights(*fitted(everything).tolist()), gains)


def measured(topics: Sequence[JudgedTopic], weights: Values) -> Values:
    """Both measures of each topic under each of the weights (K, len(SIGNALS)): (2, topics, K)."""
    return np.stack([topic.ndcg(weights) for topic in topics], axis=1)


def confidence_interval(differences: Values, random: np.random.Generator) -> tuple[float, float]:
    """The 95 % interval of the mean of paired differences, (n,), by resampling them."""
    count = len(differences)
    means = [differences[random.integers(0, count, count)].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def _draws(random: np.random.Generator) -> Values:
    """The shipped weights, and those drawn around them, (K, len(SIGNALS))."""
    shipped = weight_row(DEFAULT_WEIGHTS)
    drawn = [random.dirichlet(closeness * shipped, count) for count, closeness in DRAWS]
    return np.concatenate((shipped[np.newaxis], *drawn))


def _fitted(topics: Sequence[JudgedTopic], draws: Values, drawn: Values) -> Values:
    """The weights for these topics, (S,). `drawn` is what `measured` gives for the draws, the shipped ones first."""
    floor = drawn[:, :, 0].mean(axis=1)
    best, worth = _best(draws, drawn.mean(axis=1), floor)
    for shift in SHIFTS:
        while True:
            near = _shifted(best, shift)
            found, value = _best(near, measured(topics, near).mean(axis=1), floor)
            if value <= worth:
                break
            best, worth = found, value
    shipped: Values = draws[0]
    weights: Values = shipped + len(topics) / (len(topics) + SHIPPED_TOPICS) * (best - shipped)
    both = measured(topics, weights[np.newaxis]).mean(axis=1)[:, 0]
    return weights if bool((both >= floor).all()) else shipped


def _best(weights: Values, means: Values, floor: Values) -> tuple[Values, float]:
    """Of weights (K, S) those whose means (2, K) are best together and neither below the floor; and their sum."""
    worth = np.where((means >= floor[:, np.newaxis]).all(axis=0), means.sum(axis=0), -np.inf)
    place = int(worth.argmax())
    return weights[place], float(worth[place])


def _shifted(weights: Values, shift: float) -> Values:
    """The weights with some moved from each signal to each other, none below 0."""
    size = len(SIGNALS)
    moved = []
    for source in range(size):
        amount = min(shift, weights[source])
        for target in range(size):
            if target != source:
                moved.append(weights.copy())
                moved[-1][source] -= amount
                moved[-1][target] += amount
    return np.array(moved)
