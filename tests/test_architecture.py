"""The arrows of ARCHITECTURE.md: who may import whom, and what stays out until it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from support.places import ROOT

PACKAGES = ("kb", "indexer", "search_api", "kb_cli")
MAX_MODULES = 15
"""Modules in a room or in a folder of tests, `__init__` aside."""
MAX_LINES = 350
"""Lines of a module."""

NOUNS = frozenset(
    [
        "CLOSED",
        "DOCUMENTS",
        "DRAWS",
        "ENTRY",
        "EXTRAS",
        "FIELDS",
        "FILE",
        "FOLDER",
        "FOLDS",
        "FORMATS",
        "FORMS",
        "HEALTH",
        "HTML",
        "ALIAS",
        "ARTICLE",
        "INSTRUCTIONS",
        "JSON",
        "KINDS",
        "LEAD",
        "LEVELS",
        "MARKDOWN",
        "MEASURES",
        "MODES",
        "OVERSAMPLING",
        "PASSAGE",
        "PRECISIONS",
        "QUESTION",
        "READINESS",
        "RELATED",
        "RESAMPLES",
        "SCHEMA",
        "SCOPES",
        "SECTION",
        "SEED",
        "SENTENCE",
        "SHIFTS",
        "SIGNALS",
        "SPAN",
        "STATUS",
        "STEPS",
        "SUGGESTIONS",
        "TASK",
        "THRESHOLD",
        "TITLE",
        "UNITS",
        "WINDOW",
    ]
)
"""Public constants whose one word says what they are, with the name of their module before it."""
FUNCTION_WORDS = frozenset(
    "ABOVE AT BELOW BY FEW FOR FROM IN KEPT LEAST MANY MOST OF ON ONCE OVER SURE THE TO UP".split()  # noqa: SIM905
)
"""Words that say nothing of a value by themselves."""

ROOMS: dict[str, list[str]] = tomllib.loads((ROOT / "tests/rooms.toml").read_text("utf-8"))
"""Each room, and the rooms whose modules it imports. ARCHITECTURE.md says what is in each."""


ALLOWED = {
    "whoosh": ("kb/text/analysis.py", "kb/retrieval/phrases.py", "indexer/writers/keywords.py"),
    "sentence_transformers": ("indexer/embedding/export.py", "kb/ranking/reranker.py"),
    "torch": (
        "indexer/embedding/joint_attention.py",
        "indexer/embedding/export.py",
        "indexer/embedding/torch_encoder.py",
    ),
    "transformers": ("indexer/embedding/joint_attention.py",),
    "faiss": ("kb/retrieval/coarse.py",),
    "onnxruntime": ("kb/retrieval/encoder.py", "indexer/embedding/export.py"),
    "fastapi": ("search_api/",),
    "starlette": ("search_api/",),
    "uvicorn": ("search_api/",),
    "httpx2": ("kb/client/",),
    "mcp": ("kb/mcp/",),
    "mcp_types": ("kb/mcp/",),
    "langchain_core": ("kb/integrations/langchain.py",),
    "langsmith": ("kb/integrations/langchain.py",),
    "llama_index": ("kb/integrations/llama_index.py",),
    "haystack": ("kb/integrations/haystack.py",),
    "search_api": ("search_api/", "kb_cli/"),
    "indexer": ("indexer/", "kb_cli/"),
}
"""For each package, the files and folders that may import it; for all others, everybody may."""


def modules() -> dict[str, Path]:
    """The modules of the packages, by their dotted names."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    }


def room_of(path: Path) -> str:
    return path.parent.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> list[ast.Import | ast.ImportFrom]:
    """The import statements of a file, wherever in it."""
    return [
        node for node in ast.walk(parsed(path)) if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def own_imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules of ours that a file imports, wherever in it, for types alone too."""
    for node in imports_of(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        else:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield from (found for found in (name, node.module or "") if found in known)


def arrows() -> dict[str, set[str]]:
    """For each room, those that it imports from. What an `__init__` hands on to callers does not count."""
    known = modules()
    found: dict[str, set[str]] = defaultdict(set)
    for path in known.values():
        if path.name == "__init__.py":
            continue
        found[room_of(path)] |= {room_of(known[name]) for name in own_imports(path, known)} - {
            room_of(path)
        }
    return found


def test_rooms_import_the_rooms_that_the_table_says_and_no_others() -> None:
    assert arrows() == {room: set(below) for room, below in ROOMS.items()}


def test_no_two_rooms_import_each_other_by_any_way() -> None:
    assert {*TopologicalSorter(ROOMS).static_order()} == {*ROOMS}  # else a CycleError


def test_only_the_command_line_imports_a_package_beside_kb_and_its_own() -> None:
    for room, below in ROOMS.items():
        package = room.split("/")[0]
        assert package == "kb_cli" or {each.split("/")[0] for each in below} <= {package, "kb"}


def test_a_room_says_what_it_is_for_and_holds_no_more_than_one_looks_through() -> None:
    for room in ROOMS:
        folder = ROOT / room
        purpose = ast.get_docstring(parsed(folder / "__init__.py"))
        assert purpose or room in PACKAGES, room
        assert (
            len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= MAX_MODULES
        )


def test_a_folder_of_tests_holds_no_more_than_one_looks_through() -> None:
    counts = Counter(path.parent for path in (ROOT / "tests").rglob("*.py"))
    for folder in counts:
        counts[folder] -= (folder / "__init__.py").exists()
    assert {folder: count for folder, count in counts.items() if count > MAX_MODULES} == {}


def test_no_module_is_longer_than_one_reads_at_once() -> None:
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in modules().values()}
    assert {path: count for path, count in lines.items() if count > MAX_LINES} == {}


def public_constants(path: Path) -> Iterator[str]:
    """The public names in capitals that a module assigns, without type variables."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign):
            targets: list[ast.expr] = [node.target]
        elif isinstance(node, ast.Assign) and not is_type_variable(node.value):
            targets = node.targets
        else:
            continue
        for target in targets:
            for each in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(each, ast.Name) and each.id.isupper() and not each.id.startswith("_"):
                    yield each.id


def is_type_variable(value: ast.expr) -> bool:
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Name)
        and value.func.id in ("TypeVar", "ParamSpec")
    )


def test_a_public_constant_says_what_it_is() -> None:
    vague = {
        f"{module}.{name}"
        for module, path in modules().items()
        for name in public_constants(path)
        if ("_" not in name and name not in NOUNS) or {*name.split("_")} <= FUNCTION_WORDS
    }
    assert vague == set()


def test_the_list_of_nouns_has_no_word_that_nobody_uses() -> None:
    assert {*NOUNS} <= {name for path in modules().values() for name in public_constants(path)}


def imports(path: Path) -> set[str]:
    """The top-level packages that a file imports, wherever in it."""
    found = set()
    for node in imports_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        else:
            assert node.level == 0, f"{path}: relative import"
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_is_imported_only_where_it_may_be(package: str) -> None:
    files = [
        path
        for name in ("kb", "indexer", "search_api", "kb_cli")
        for path in (ROOT / name).rglob("*.py")
    ]
    assert len(files) > 50
    places = {path.relative_to(ROOT).as_posix() for path in files if package in imports(path)}
    assert [place for place in sorted(places) if not place.startswith(ALLOWED[package])] == []


def test_importing_kb_loads_no_numpy() -> None:
    script = "import sys, kb; print(sorted({'numpy', 'onnxruntime', 'whoosh', 'click'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
