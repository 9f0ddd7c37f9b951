"""kb.retrieval.encoder: what answers questions, against the model that embedded the passages"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.passages.sentences import sentence_spans
from kb.retrieval.encoder import FOR_PASSAGES, FOR_QUESTIONS, Encoder, EncoderSettings


@pytest.fixture(scope="module")
def folder(index_path: Path) -> Path:
    return index_path / "generations" / (index_path / "CURRENT").read_text().strip() / "encoder"


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    return Encoder(folder)


@pytest.fixture(scope="module")
def model() -> Iterator[Any]:
    """The model as sentence-transformers loads it, none of our code between."""
    from sentence_transformers import SentenceTransformer

    from indexer.embedding.export import DEFAULT_MODEL, model_folder

    yield SentenceTransformer(model_folder(DEFAULT_MODEL), device="cpu")


def test_it_agrees_with_sentence_transformers_on_sentences_of_the_corpus(
    folder: Path, encoder: Encoder, model: Any, indexed: list[Any]
) -> None:
    sentences = [
        passage.fields[3][start:end]
        for passage in indexed[::12]
        for start, end in islice(sentence_spans(passage.fields[3]), 2)
    ]
    sentences += ["", " ", "🦵", "不安腿综合征", "x" * 500, "A\nB\tC", "don't “quote”"]
    expected = model.encode(sentences, normalize_embeddings=True, show_progress_bar=False)
    passages = Encoder(folder, FOR_PASSAGES)
    for sentence, vector in zip(sentences, expected, strict=True):
        assert float(encoder.encode_question(sentence) @ vector) > 0.99, sentence
        assert float(passages.encode_passages([sentence])[0] @ vector) > 0.9999, sentence


def test_a_text_longer_than_the_window_is_cut_there_and_not_at_the_packages_128(
    encoder: Encoder, model: Any
) -> None:
    window = encoder.settings.max_tokens
    assert window == model.get_max_seq_length() == 256
    words = ["leg"] * (window - 2) + ["magnesium"] * 50
    whole = encoder.encode_question(" ".join(words))
    cut = encoder.encode_question(" ".join(words[: window - 2]))
    shorter = encoder.encode_question(" ".join([*words[:128], *["sleep"] * 100]))
    assert np.array_equal(whole, cut)
    assert not np.allclose(shorter, cut, atol=1e-3)
    expected = model.encode([" ".join(words)], normalize_embeddings=True, show_progress_bar=False)
    assert float(whole @ expected[0]) > 0.998


def test_vectors_are_unit_and_the_same_every_time(encoder: Encoder) -> None:
    first = encoder.encode_question("why do my legs jerk")
    assert first.shape == (encoder.settings.dimensions,)
    assert first.dtype == np.float32
    assert float(first @ first) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(first, encoder.encode_question("why do my legs jerk"))


def test_questions_asked_at_once_get_the_vectors_that_each_gets_alone(encoder: Encoder) -> None:
    """One alone is encoded by all cores, several by one each."""
    questions = [f"why does my {place} jerk at night" for place in ("leg", "arm", "knee")] * 20
    alone = [encoder.encode_question(question) for question in questions]
    with ThreadPoolExecutor(8) as askers:
        at_once = list(askers.map(encoder.encode_question, questions))
    assert np.array_equal(alone, at_once)


def test_prompts_are_put_before_the_text(folder: Path, tmp_path: Path, encoder: Encoder) -> None:
    for name in (FOR_PASSAGES, FOR_QUESTIONS, "tokenizer.json"):
        (tmp_path / name).symlink_to(folder / name)
    settings = EncoderSettings(
        encoder.settings.dimensions, encoder.settings.max_tokens, "query: ", "passage: "
    )
    settings.save(tmp_path / "encoder.json")
    assert EncoderSettings.load(tmp_path / "encoder.json") == settings
    prompted = Encoder(tmp_path)
    assert np.array_equal(prompted.encode_question("leg"), encoder.encode_question("query: leg"))
    assert np.array_equal(
        prompted.encode_passages(["leg"])[0], encoder.encode_question("passage: leg")
    )


def test_without_a_model_of_its_own_a_question_is_encoded_as_passages_are(
    folder: Path, tmp_path: Path
) -> None:
    for name in (FOR_PASSAGES, "tokenizer.json", "encoder.json"):
        (tmp_path / name).symlink_to(folder / name)
    vector = Encoder(tmp_path).encode_question("leg")
    assert np.array_equal(vector, Encoder(folder, FOR_PASSAGES).encode_passages(["leg"])[0])


def test_answering_from_python_imports_no_torch_and_a_plain_question_no_index_of_whooshs(
    index_path: Path,
) -> None:
    script = (
        "import sys; from kb import KnowledgeBase\n"
        "KnowledgeBase.open(sys.argv[1]).search('why do my legs jerk')\n"
        "print([name for name in ('torch', 'sentence_transformers', 'transformers', 'whoosh.index',"
        " 'kb.retrieval.phrases', 'indexer', 'fastapi') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(index_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
