"""Trains the notice line, and measures it with the rules beside it.

    python training/notices.py fit --index index      # writes kb/question/notice_line.json, prints its figures
    python training/notices.py measure --index index FILE ...

The index must be one of `corpus/`, made with the default model. A question is read and encoded as in a search.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.opening import Engine, open_engine
from kb.question.notice_line import FILE, NoticeLine

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "notices" / "questions.jsonl"
ORDINARY = [
    ROOT / "tests/quality" / f"{name}.jsonl" for name in ("questions", "riddles", "readers")
]

FOLDS = 6
PENALTIES = (0.3, 1.0)
"""Candidates for half of the L2 penalty of the weights, one of which is chosen by cross-validation."""
MAX_FALSE_HARMLESS, MAX_FALSE_ORDINARY = 0.02, 0.003
"""The largest shares of harmless and of ordinary questions above the threshold, in cross-validation."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions with what they are: `kinds`, `classes` and `splits` as in the README beside the data.

    `vectors` are float64 (questions, dimensions), `by_rule` says where a notice's trigger fired.
    """

    kinds: NDArray[np.str_]
    classes: NDArray[np.str_]
    splits: NDArray[np.str_]
    vectors: Floats
    by_rule: NDArray[np.bool_]


def encoded(engine: Engine, rows: Iterable[dict[str, str]]) -> Questions:
    """The questions as a search reads them."""
    listed = list(rows)
    read = [engine.reader.read(row["text"]) for row in listed]
    return Questions(
        np.array([row["kind"] for row in listed]),
        np.array([row["class"] for row in listed]),
        np.array([row["split"] for row in listed]),
        np.array([engine.encoder.encode_question(query.text) for query in read], dtype=np.float64),
        np.array([bool(engine.notices.find(query.typed)) for query in read]),
    )


def fitted(vectors: Floats, wanted: NDArray[np.bool_], penalty: float) -> tuple[Floats, float]:
    """Weights and bias of a logistic regression: Newton's method, the bias without penalty."""
    rows = np.hstack([vectors, np.ones((len(vectors), 1))])
    ridge = np.full(rows.shape[1], penalty)
    ridge[-1] = 1e-9
    found = np.zeros(rows.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-rows @ found))
        slope = rows.T @ (chance - wanted) + ridge * found
        curve = (rows * (chance * (1 - chance))[:, None]).T @ rows + np.diag(ridge)
        step = np.linalg.solve(curve, slope)
        found -= step
        if np.abs(step).max() < 1e-8:
            break
    return found[:-1], float(found[-1])


def folds(train: Questions) -> NDArray[np.int64]:
    """The fold of each question: a class is in one fold as a whole, ordinary questions are dealt out in turn."""
    names = list(dict.fromkeys(train.classes[train.kinds != "ordinary"].tolist()))
    of_class = {name: number % FOLDS for number, name in enumerate(names)}
    return np.array(
        [of_class.get(name, number % FOLDS) for number, name in enumerate(train.classes.tolist())]
    )


def out_of_fold(train: Questions, penalty: float) -> Floats:
    """The score of each question by a line that saw nothing of its fold."""
    fold, wanted = folds(train), train.kinds == "emergency"
    scores = np.zeros(len(fold))
    for number in range(FOLDS):
        others = fold != number
        weights, bias = fitted(train.vectors[others], wanted[others], penalty)
        scores[~others] = train.vectors[~others] @ weights + bias
    return scores


def threshold(scores: Floats, kinds: NDArray[np.str_]) -> float:
    """The lowest score above which no more than the allowed shares of harmless and ordinary questions are."""

    def lowest(kind: str, share: float) -> float:
        falling = np.sort(scores[kinds == kind])[::-1]
        return float(falling[int(share * len(falling))])

    return max(lowest("harmless", MAX_FALSE_HARMLESS), lowest("ordinary", MAX_FALSE_ORDINARY))


def subset(questions: Questions, chosen: NDArray[np.bool_]) -> Questions:
    """The questions where `chosen`."""
    return Questions(
        questions.kinds[chosen],
        questions.classes[chosen],
        questions.splits[chosen],
        questions.vectors[chosen],
        questions.by_rule[chosen],
    )


def ordinary_rows() -> list[dict[str, str]]:
    """The library's own judged questions, less those that may be an emergency, for training."""
    left_out = set((DATA.parent / "not_ordinary.txt").read_text(encoding="utf-8").splitlines())
    return [
        {"class": "ordinary", "kind": "ordinary", "split": "train", "text": row["text"]}
        for path in ORDINARY
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
        if f"{path.stem} {row['id']}" not in left_out
    ]


def fit(engine: Engine) -> NoticeLine:
    """The line, its penalty and threshold chosen by cross-validation on the training split.

    The best penalty is that with most emergencies above its threshold.
    """
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    asked = encoded(engine, [*rows, *ordinary_rows()])
    train = subset(asked, asked.splits == "train")
    wanted = train.kinds == "emergency"
    best = (-1.0, 0.0, 0.0)
    for penalty in PENALTIES:
        scores = out_of_fold(train, penalty)
        limit = threshold(scores, train.kinds)
        share = float((scores[wanted] > limit).mean())
        print(f"penalty {penalty}: threshold {limit:.2f}, {share:.3f} of emergencies above it")
        best = max(best, (share, penalty, limit))
    _, penalty, limit = best
    weights, bias = fitted(train.vectors, wanted, penalty)
    model = engine.manifest.model
    line = NoticeLine(
        model.name, model.sha256, round(limit, 3), round(bias, 3), tuple(np.round(weights, 3))
    )
    print("| split | questions | rules | line | either |\n|---|---|---|---|---|")
    for split, kind in dict.fromkeys(zip(asked.splits.tolist(), asked.kinds.tolist(), strict=True)):
        chosen = (asked.splits == split) & (asked.kinds == kind)
        report(f"{split}, {kind}", subset(asked, chosen), line)
    return line


def report(name: str, asked: Questions, line: NoticeLine) -> None:
    """Print a row: how many questions, and the shares of them that get a notice."""
    above = np.array([line.crossed(vector) for vector in asked.vectors.astype(np.float32)])
    shares = (asked.by_rule.mean(), above.mean(), (asked.by_rule | above).mean())
    print(f"| {name} | {len(above)} | " + " | ".join(f"{share:.3f}" for share in shares) + " |")


def measure(engine: Engine, path: Path, line: NoticeLine) -> None:
    """Print a row for each kind of a file's questions.

    The kind is the field `expect` or `kind`; where there is neither, `notice` says whether a notice is wanted.
    """
    kinds: dict[str, list[str]] = {}
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        wanted = "notice" if row.get("notice") else "no-notice" if "notice" in row else "questions"
        kinds.setdefault(row.get("expect") or wanted, []).append(row.get("q") or row["text"])
    for kind, texts in kinds.items():
        blank = {"kind": kind, "class": "", "split": ""}
        report(f"{path.stem}, {kind}", encoded(engine, [{**blank, "text": t} for t in texts]), line)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("step", choices=("fit", "measure"))
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--index", type=Path, default=Path("index"))
    options = parser.parse_args()
    engine = open_engine(options.index)
    try:
        if options.step == "fit":
            fit(engine).save(FILE)
            return
        line = NoticeLine.load(engine.manifest.model.sha256)
        if line is None:
            sys.exit("The index has another model than the line: build it with the default model.")
        print("| questions | number | rules | line | either |\n|---|---|---|---|---|")
        for path in options.files:
            measure(engine, path, line)
    finally:
        engine.close()


if __name__ == "__main__":
    main()
