"""The arrows of ARCHITECTURE.md: who may import whom, and what stays out until it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

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


def imports(path: Path) -> set[str]:
    """The top-level packages that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
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
