"""`kb check` opens all that it calls whole: damage that every hash vouches for is found too, and named"""

from __future__ import annotations

import json
import pickle
import pickletools
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from indexer.maintenance.inspection import inspect
from kb.knowledge_base import KnowledgeBase
from kb.schema.errors import IndexDamaged, IndexFormatMismatch, IndexUnusable
from kb.storage.keys import KeyRing, keys_file
from kb.tasks.store import TaskStore
from kb_cli.main import run
from support.formats import signed_again, unpacked
from support.library import Library, store_weights

PACKAGES = {"kb", "indexer", "search_api", "kb_cli"}


def modules_pickled_in(content: bytes) -> set[str]:
    """The modules that the pickles within a file name, wherever they begin."""
    found = set()
    place = content.find(b"\x80")
    while place >= 0:
        texts: list[str] = []
        try:
            for opcode, argument, _ in pickletools.genops(content[place:]):
                if opcode.name == "GLOBAL":
                    found.add(str(argument).partition(" ")[0])
                elif opcode.name == "STACK_GLOBAL":
                    found.update(texts[-2:-1])
                elif isinstance(argument, str):
                    texts.append(argument)
        except Exception:  # no pickle after all
            pass
        place = content.find(b"\x80", place + 1)
    return found


def pickled_modules(index: Path) -> set[str]:
    files = (path for path in index.rglob("*") if path.is_file())
    return set().union(*(modules_pickled_in(path.read_bytes()) for path in files))


def test_no_file_of_an_index_pickles_anything_of_this_program(
    library: Library, tmp_path: Path
) -> None:
    found = pickled_modules(library.index)
    assert "whoosh.fields" in found
    assert {name for name in found if name.partition(".")[0] in PACKAGES} == set()
    # That of format 5 did, which shows that it would be seen.
    assert "kb.analysis" in pickled_modules(unpacked(5, tmp_path / "old").index)


def whoosh_file(folder: Path, suffix: str) -> Path:
    return next(folder.glob(f"keyword/*/*{suffix}"))


def of_another_whoosh(folder: Path) -> str:
    path = whoosh_file(folder, ".toc")
    content = path.read_bytes()
    assert b"whoosh.fields" in content
    path.write_bytes(content.replace(b"whoosh.fields", b"whoosh.fjelds"))
    return "keyword"


def truncated_contents(folder: Path) -> str:
    path = whoosh_file(folder, ".toc")
    path.write_bytes(path.read_bytes()[:50])
    return "keyword"


def zeroed_segment(folder: Path) -> str:
    path = whoosh_file(folder, ".seg")
    path.write_bytes(bytes(path.stat().st_size))
    return "keyword"


def documents_of_others(folder: Path) -> str:
    path = next(folder.glob("keyword/*/documents.npy"))
    documents = np.load(path)
    np.save(path, np.roll(documents, 1))
    return "keyword"


def overwritten(name: str, content: bytes = b"nonsense") -> Callable[[Path], str]:
    def spoil(folder: Path) -> str:
        (folder / name).write_bytes(content)
        return name

    return spoil


def article_gone(folder: Path) -> str:
    path = folder / "articles.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM articles WHERE id = 'article-1'")
    return path.name


def broken_page(folder: Path) -> str:
    path = folder / "articles.sqlite"
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    path.write_bytes(content)
    return path.name


def fewer_dimensions(folder: Path) -> str:
    """A generation that says of itself that its vectors are shorter than what its encoder makes."""
    path = folder / "manifest.json"
    content = json.loads(path.read_bytes())
    content["model"]["dimensions"] = 8
    path.write_text(json.dumps(content))
    for name in ("passages", "codes", "sentences", "names", "kinds"):
        array = folder / "vectors" / f"{name}.npy"
        np.save(array, np.load(array)[:, :8])
    symptom = folder / "vectors" / "symptom.npy"
    np.save(symptom, np.load(symptom)[:8])
    return "question.onnx encodes a text as a vector of shape (16,)"


def passage_elsewhere(folder: Path) -> str:
    path = folder / "passages.npy"
    passages = np.load(path)
    passages["end"][0] += 300
    np.save(path, passages)
    return "a passage of section"


DAMAGE: dict[str, Callable[[Path], str]] = {
    "a class of Whoosh's that is not there": of_another_whoosh,
    "a truncated table of contents": truncated_contents,
    "a zeroed segment": zeroed_segment,
    "passages of other documents": documents_of_others,
    "SQLite's header": overwritten("articles.sqlite"),
    "a page of SQLite's": broken_page,
    "an article less than the manifest says": article_gone,
    "the model for questions": overwritten("encoder/question.onnx"),
    "the model for passages": overwritten("encoder/model.onnx"),
    "the tokenizer": overwritten("encoder/tokenizer.json", b"{}"),
    "the encoder's settings": overwritten("encoder/encoder.json", b"{}"),
    "vectors of fewer dimensions than the encoder's": fewer_dimensions,
    "notices": overwritten("notices.json", b"[{}]"),
    "groups": overwritten("groups.json", b"[3]"),
    "sources": overwritten("sources.json", b"{}"),
    "an array's header": overwritten("spelling/weights.npy"),
    "a passage beside its place": passage_elsewhere,
}


@pytest.mark.parametrize("what", DAMAGE)
def test_what_is_written_in_full_and_cannot_be_used_is_found_and_named(
    library: Library, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "--index", str(library.index)]) == 0
    named = DAMAGE[what](library.live())
    folder = signed_again(library.index)
    capsys.readouterr()
    assert run(["check", "--index", str(library.index)]) == 3
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "(live)" in line)
    # The encoder's files are named by their folder: its libraries do not say which of them it was.
    assert named.partition("/")[0] in line
    assert str(folder) in line
    assert "kb build" in line


def arrays(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*.npy")))


def test_an_array_of_another_shape_or_none_at_all_is_found_and_named(library: Library) -> None:
    for name in [path.relative_to(library.live()) for path in arrays(library.live())]:
        path = library.live() / name
        whole = path.read_bytes()
        np.save(path, np.load(path)[np.newaxis])
        signed_again(library.index)
        (found,) = (each for each in inspect(library.index) if each.live)
        assert f"{name} has the shape" in str(found.damage), name
        if name.parts[0] != "keyword":
            (library.live() / name).unlink()
            signed_again(library.index)
            (found,) = (each for each in inspect(library.index) if each.live)
            assert f"{name} is not there" in str(found.damage), name
        (library.live() / name).write_bytes(whole)
        signed_again(library.index)
    assert [each.damage for each in inspect(library.index)] == [None, None]


def test_an_array_with_a_row_too_many_is_found(library: Library) -> None:
    for name in (
        "vectors/passages.npy",
        "vectors/sentences.npy",
        "names/masses.npy",
        "postings/idf.npy",
    ):
        path = library.live() / name
        whole = path.read_bytes()
        rows = np.load(path)
        np.save(path, np.concatenate((rows, rows[:1])))
        signed_again(library.index)
        (found,) = (each for each in inspect(library.index) if each.live)
        assert "has the shape" in str(found.damage), name
        (library.live() / name).write_bytes(whole)


def test_what_lies_beside_the_generations_is_read_too(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    store_weights(library.index, 0.5)
    KeyRing(keys_file(library.index)).add("test", ("admin",))
    TaskStore(library.index).close()
    (library.index / "removed.json").write_text('{"articles": ["x"], "sha256": "0"}')
    code = run(["check", "--index", str(library.index)])
    assert (code, "removed.json" in capsys.readouterr().out) == (1, True)
    (library.index / "removed.json").unlink()
    assert run(["check", "--index", str(library.index)]) == 0
    for name, code in (
        ("keys/keys.json", 1),
        ("tasks/tasks.sqlite", 1),
        ("cache/embeddings.sqlite", 1),
        ("tuning.json", 3),
    ):
        path = library.index / name
        whole = path.read_bytes()
        path.write_bytes(b"nonsense" * 1000)
        capsys.readouterr()
        assert run(["check", "--index", str(library.index), "--json"]) == code, name
        (found,) = (each for each in json.loads(capsys.readouterr().out) if each["damage"])
        assert (found["file"], found["generation"], str(path) in found["damage"]) == (
            name,
            "",
            True,
        )
        path.write_bytes(whole)
    shutil.rmtree(library.index / "cache")
    assert run(["check", "--index", str(library.index)]) == 0


@pytest.mark.parametrize(
    ("spoil", "error"),
    [(of_another_whoosh, IndexFormatMismatch), (zeroed_segment, IndexDamaged)],
)
def test_what_whoosh_cannot_open_is_an_index_that_is_damaged_or_of_another_version(
    library: Library, spoil: Callable[[Path], str], error: type[IndexUnusable]
) -> None:
    """Whoever asks for a phrase is told so, by the exit code too; other questions are answered."""
    spoil(library.live())
    signed_again(library.index)
    with KnowledgeBase.open(library.index) as opened:
        assert opened.search("iron").results
        with pytest.raises(error, match="kb build"):
            opened.search('"comes first"')
    assert run(["search", '"comes first"', "--index", str(library.index)]) == 3


def test_unpickling_runs_nothing_that_was_not_hashed(library: Library) -> None:
    path = whoosh_file(library.live(), ".toc")
    path.write_bytes(pickle.dumps(print))
    (found,) = (each for each in inspect(library.index) if each.live)
    assert "not what was written" in str(found.damage) or "bytes long" in str(found.damage)
