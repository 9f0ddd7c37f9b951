"""What the fault tests share: a library with a tiny model, built once and copied for each test.

Each test has a short form, which `make test` runs, and a long one, which `make faults` does by `--long`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.library import Library
from support.tiny import few_english_words, make_tiny_model


@contextmanager
def few_words_patched() -> Iterator[None]:
    """The dictionary of English is not what fails here, and would be most of the time of a build."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("indexer.writers.spelling.english_words", few_english_words)
        yield


# Not of the session's scope: the tests of other folders want the real dictionary.
@pytest.fixture(scope="module", autouse=True)
def few_words() -> Iterator[None]:
    """Few words of English for the builds of these tests."""
    with few_words_patched():
        yield


@pytest.fixture(scope="session")
def tiny_library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Six articles and an index of two generations of them. To be copied and not changed.

    The index knows the corpus that it was made of: another one, which a test may change that takes it for its own.
    """
    root = tmp_path_factory.mktemp("faults")
    model = make_tiny_model(root / "model-files")
    library = Library(root / "library", model)
    library.root.mkdir()
    with few_words_patched():
        for number, word in enumerate(("iron", "salt", "sleep", "stress", "water")):
            library.put(f"article-{number}", word)
        library.build()
        library.put("article-5", "light")
        library.build()
    return library.copy(root / "kept")


@pytest.fixture
def library(tiny_library: Library, tmp_path: Path) -> Library:
    """A library of one's own to spoil."""
    known = tiny_library.root.parent / "library" / "corpus"
    shutil.rmtree(known)
    shutil.copytree(tiny_library.corpus, known)
    return tiny_library.copy(tmp_path / "library")


@pytest.fixture
def shelf(library: Library) -> Library:
    """The same, and its index knows its own corpus, not the one that was copied."""
    library.put("article-0", "salted")
    library.build()
    return library
