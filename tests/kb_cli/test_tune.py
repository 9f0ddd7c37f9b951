"""kb tune"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kb.evaluation import runs
from kb.evaluation.measures import read_topics
from kb.knowledge_base import KnowledgeBase
from kb.ranking.fusion import FusionWeights
from kb.ranking.tuned_weights import FILE, load
from support.commands import Kb, commands

TOPICS = Path(__file__).parent.parent / "quality" / "questions.jsonl"
PLANTED = FusionWeights(keyword=0.9, dense=0.0, sentence=0.0, name=0.0, focus=0.1)


@pytest.fixture
def kb(capsys: pytest.CaptureFixture[str]) -> Kb:
    """Runs the command line in this process: exit code, stdout and stderr."""
    return commands(capsys)


@pytest.fixture(scope="session")
def planted(index_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Judgments of a library whose readers go by words alone: the first two of twenty are relevant."""
    lines = []
    with KnowledgeBase.open(index_path, weights=PLANTED) as by_words:
        for topic in read_topics(TOPICS):
            for place, (unit, _) in enumerate(runs.run(by_words, topic.text, "section", 20)):
                lines.append(f"{topic.id} 0 {unit} {int(place < 2)}")
    path = tmp_path_factory.mktemp("planted") / "qrels"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="session")
def random_judgments(index_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Judgments that have nothing to do with the questions, of sections that they find."""
    random = np.random.default_rng(5)
    lines = []
    with KnowledgeBase.open(index_path) as knowledge_base:
        for topic in read_topics(TOPICS):
            found = [unit for unit, _ in runs.run(knowledge_base, topic.text, "section", 60)]
            for number, place in enumerate(random.choice(len(found), 20, replace=False)):
                lines.append(f"{topic.id} 0 {found[place]} {int(number < 3)}")
    path = tmp_path_factory.mktemp("random") / "qrels"
    path.write_text("\n".join(lines))
    return path


def test_a_gain_beyond_noise_is_stored_used_and_let_go_again(
    kb: Kb, index_copy: Path, planted: Path
) -> None:
    judged = ("--index", index_copy, "--topics", TOPICS, "--qrels", planted)
    evaluated = kb("eval", *judged)
    searched = json.loads(kb("search", "--json", "--index", index_copy, "jerking legs")[1])
    code, dry, err = kb("tune", *judged, "--dry-run")
    assert (code, err) == (0, "")
    assert "more than noise" in dry
    assert dry.endswith("Nothing is stored.\n")
    assert kb("tune", "--index", index_copy) == (
        *(0, "No weights are stored; the shipped ones are in use.\n", ""),
    )

    code, out, err = kb("tune", *judged, "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert (report["topics"], report["folds"], report["stored"]) == (60, 5, True)
    assert report["weights"]["keyword"] > report["shipped_weights"]["keyword"] + 0.2
    assert report["measures"]["nDCG@10"]["low"] > 0
    stored = load(index_copy)
    assert stored is not None
    assert (stored.topics, stored.unit) == (60, "section")
    for name, gain in stored.gains.items():
        assert report["measures"][name]["gain"] == gain.gain
        assert f"{gain.shipped:.4f}" in dry
    assert sum(report["weights"].values()) == pytest.approx(1)

    after = json.loads(kb("search", "--json", "--index", index_copy, "jerking legs")[1])
    assert after["results"][0]["score"] != searched["results"][0]["score"]
    assert kb("eval", *judged) == evaluated  # always with the shipped weights
    assert "They are in use." in kb("tune", "--index", index_copy)[1]
    status = json.loads(kb("tune", "--json", "--index", index_copy)[1])
    assert (status["used"], status["reason"]) == (True, None)
    assert status["stored"]["weights"] == report["weights"]

    assert kb("tune", "--reset", "--index", index_copy)[0] == 0
    assert not (index_copy / FILE).exists()
    again = json.loads(kb("search", "--json", "--index", index_copy, "jerking legs")[1])
    assert again["results"] == searched["results"]
    assert kb("tune", "--reset", "--json", "--index", index_copy) == (0, '{"removed": false}\n', "")


def test_no_gain_is_said_and_not_stored_unless_forced(
    kb: Kb, index_copy: Path, random_judgments: Path
) -> None:
    judged = ("--index", index_copy, "--topics", TOPICS, "--qrels", random_judgments)
    code, out, err = kb("tune", *judged)
    assert (code, err) == (0, "")
    assert "no more than noise" in out
    assert out.endswith("Nothing is stored.\n")
    assert not (index_copy / FILE).exists()
    code, out, err = kb("tune", *judged, "--force")
    assert (code, err) == (0, "")
    assert "no more than noise" in out
    assert "Stored." in out
    assert load(index_copy) is not None


def test_few_topics_are_1_unless_forced(
    kb: Kb, index_copy: Path, planted: Path, tmp_path: Path
) -> None:
    few = tmp_path / "qrels"
    few.write_text("".join(planted.read_text().splitlines(keepends=True)[: 19 * 20]))
    judged = ("--index", index_copy, "--topics", TOPICS, "--qrels", few)
    code, out, err = kb("tune", *judged)
    assert (code, out) == (1, "")
    assert "relevant unit: 19" in err
    assert "20" in err
    assert not (index_copy / FILE).exists()
    assert kb("tune", *judged, "--force")[0] == 0
    stored = load(index_copy)
    assert stored is not None
    assert stored.topics == 19


def test_judgments_of_another_unit_are_1_and_the_option_named(
    kb: Kb, index_copy: Path, planted: Path
) -> None:
    code, out, err = kb(
        *("tune", "--index", index_copy, "--topics", TOPICS, "--qrels", planted),
        *("--unit", "article"),
    )
    assert (code, out) == (1, "")
    assert "--unit is article" in err


def test_weights_of_another_model_are_said_not_to_be_in_use(
    kb: Kb, index_copy: Path, planted: Path
) -> None:
    from dataclasses import replace

    from kb.ranking.tuned_weights import store

    judged = ("--index", index_copy, "--topics", TOPICS, "--qrels", planted)
    assert kb("tune", *judged)[0] == 0
    stored = load(index_copy)
    assert stored is not None
    store(index_copy, replace(stored, model_sha256="another"))
    code, out, err = kb("tune", "--index", index_copy)
    assert (code, err) == (0, "")
    assert "They are not used" in out
    assert "another model" in out
    assert "kb tune --reset" in out
    assert json.loads(kb("tune", "--json", "--index", index_copy)[1])["used"] is False


@pytest.mark.parametrize(
    "command", [("search", "legs"), ("show", "pulse-points"), ("serve",), ("tune",)]
)
def test_damaged_weights_are_3_and_name_file_and_remedy_and_reset_mends_them(
    kb: Kb, index_copy: Path, command: tuple[str, ...]
) -> None:
    (index_copy / FILE).write_text("{")
    code, out, err = kb(*command, "--index", index_copy)
    assert (code, out) == (3, "")
    assert str(index_copy / FILE) in err
    assert f"kb tune --reset --index {index_copy}" in err
    assert kb("tune", "--reset", "--index", index_copy)[0] == 0
    assert kb("search", "legs", "--index", index_copy)[0] == 0


def test_eval_does_not_look_at_stored_weights_even_damaged(
    kb: Kb, index_copy: Path, planted: Path
) -> None:
    judged = ("--index", index_copy, "--topics", TOPICS, "--qrels", planted)
    before = kb("eval", *judged)
    (index_copy / FILE).write_text("{")
    assert kb("eval", *judged) == before
    assert before[0] == 0
