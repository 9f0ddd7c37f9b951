"""Which sections may stand under "When to seek care"."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexer.build.build import build
from indexer.build.request import BuildRequest
from indexer.writers.care_scores import advises
from kb.answering.care_companion import MIN_CARE_SCORE


@pytest.mark.parametrize(
    "text",
    [
        "Check with your child's doctor if any of these last.",
        "Call your local emergency number at once.",
        "When to Contact a Medical Professional",
        "Anybody with a stiff neck should be seen the same day by a GP.",
        "Get medical help\nif the rash spreads.",
    ],
)
def test_advice_sends_its_reader_to_somebody(text: str) -> None:
    assert advises(text)


@pytest.mark.parametrize(
    "text",
    [
        "Symptoms\nThe main symptoms are joint pain and swelling.",
        "A panic attack peaks within minutes, and the attack itself is not dangerous.",
        "Doctors call this a sleep start.",
        "See the table below. It lists signs. They come and go. Hospitals keep count.",
    ],
)
def test_what_only_describes_is_no_advice(text: str) -> None:
    assert not advises(text)


@pytest.mark.slow
def test_a_list_of_symptoms_is_not_taken_for_when_to_seek_care(tmp_path: Path) -> None:
    listed = "The main symptoms are fever, joint pain and swelling of one or more joints."
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "joints.md").write_text(
        f"---\nid: joints\ntitle: Sore Joints\n---\n## Symptoms\n\n{listed}\n\n"
        "## Signs\n\nCheck with your doctor if you have fever, joint pain or swelling that lasts.\n",
        encoding="utf-8",
    )
    generation = build(BuildRequest(tmp_path / "index", [corpus])).generation
    care = np.load(tmp_path / "index" / "generations" / generation / "vectors" / "care.npy")
    assert care[0] == 0
    assert care[1] >= MIN_CARE_SCORE
