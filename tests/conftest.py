"""What the whole suite shares: one index of `corpus/`, built once, and the knowledge base opened from it."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import kb  # noqa: F401 - it turns telemetry off, before a test loads what has some
from support.places import CORPUS, ROOT

os.environ["HF_HUB_OFFLINE"] = "1"
for name in [
    name for name in os.environ if name.startswith("KB_") and not name.startswith("KB_REQUIRE_")
]:
    del os.environ[name]  # a developer's own settings must not reach a test

# What one run finds the next finds too; `make fuzz` looks elsewhere each time.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=10)
settings.register_profile("fuzz", deadline=None, max_examples=1000, print_blob=True)

HOOKS = Path(__file__).parent / "schemathesis_hooks.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long", action="store_true", help="run tests in their long form (make faults, make pages)"
    )


SLOW_FIXTURES = frozenset(["index_path", "tiny_library", "chromium", "machine", "certificate"])
SLOW_PLACES = frozenset(
    ROOT / "tests" / place
    for place in (
        "benchmarks",
        "browser",
        "deploy",
        "faults",
        "indexer/embedding/test_export.py",
        "indexer/embedding/test_model.py",
        "indexer/embedding/test_torch_encoder.py",
        "isolation",
        "kb/integrations",
        "kb/mcp",
        "quality",
        "search_api/test_schemathesis.py",
    )
)
"""Folders and files of which everything is slow: to import them alone takes seconds."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import nothing of what is slow where it is left out anyway."""
    if config.getoption("markexpr") == "not slow" and collection_path in SLOW_PLACES:
        return True
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as slow what needs a real index or other programs. Without `--long`, leave out what only long forms have."""
    for item in items:
        needs = getattr(item, "fixturenames", ())
        if SLOW_PLACES.intersection([item.path, *item.path.parents]) or SLOW_FIXTURES & {*needs}:
            item.add_marker("slow")
    if not config.getoption("--long"):
        long = [item for item in items if item.get_closest_marker("long")]
        items[:] = [item for item in items if item not in set(long)]
        config.hook.pytest_deselected(items=long)


@pytest.fixture(scope="session")
def is_long(pytestconfig: pytest.Config) -> bool:
    """Whether the long forms are asked for."""
    return bool(pytestconfig.getoption("--long"))


@pytest.fixture(autouse=True)
def no_log_to_a_closed_stream() -> Iterator[None]:
    """A service logs to stderr as it is when it starts, which may be one that pytest closes with the test. So do the
    hooks that it sets for what Python would write there."""
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    yield
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    for handler in logging.root.handlers[:]:
        if type(handler) is logging.StreamHandler:
            logging.root.removeHandler(handler)


@pytest.fixture(scope="session")
def index_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of `corpus/`. Read-only: a test that changes an index makes its own.

    Of processes that share the tests one builds it, and each has a copy: what verifies an index notes that in it.
    """
    from indexer.build.build import build
    from indexer.build.request import BuildRequest
    from indexer.generations.lock import writer_lock

    folder = tmp_path_factory.mktemp("library")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        assert not build(BuildRequest(folder / "index", [CORPUS])).failures
        return folder / "index"
    shared = tmp_path_factory.getbasetemp().parent / "index"
    assert not build(
        BuildRequest(shared, [CORPUS], wait_s=600)
    ).failures  # whoever comes second has nothing to do
    with writer_lock(shared, 600):
        shutil.copytree(shared, folder / "index")
    return folder / "index"


@pytest.fixture(scope="session")
def knowledge_base(index_path: Path) -> Iterator[object]:
    """The knowledge base of `corpus/`."""
    from kb import KnowledgeBase

    with KnowledgeBase.open(index_path, verify="full") as opened:
        yield opened


@contextmanager
def _listening(index: Path, port: int = 0, **settings: Any) -> Iterator[str]:
    from search_api.service.server import listen, make_server
    from search_api.state.settings import load_settings

    listener = listen("127.0.0.1", port)
    server = make_server(load_settings(index=index, **settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def service_url(index_path: Path) -> Iterator[str]:
    """The address of a running service over the index of `corpus/`."""
    # It looks for no other generation, for which tests of that put another way of looking in place.
    with _listening(index_path, poll_interval_s=3600) as url:
        yield url


@pytest.fixture(scope="session")
def listening() -> Callable[..., AbstractContextManager[str]]:
    """Makes the address of a service over an index folder, on a port and with settings of one's choice."""
    return _listening


@pytest.fixture
def check_document(tmp_path: Path) -> Callable[..., None]:
    """Asks a service over an index all that its OpenAPI document says, and what it does not, and believes nothing.

    Schemathesis makes the requests from the document, so that a new route is covered as soon as it is there, and walks
    from answers to further requests by the document's links. SCHEMATHESIS_EXAMPLES is how many requests each
    operation gets in each phase. The rest are its options.
    """

    def check(index: Path, *chosen: str) -> None:
        options = {
            "--phases": "examples,coverage,fuzzing,stateful",
            "--checks": "all",
            "--max-examples": os.environ.get("SCHEMATHESIS_EXAMPLES", "1"),
            "--seed": "7",
            "--generation-database": "none",
            "--suppress-health-check": "all",
            "--wait-for-schema": "60",
            "--request-timeout": "60",
        }
        with _listening(index) as url:
            done = subprocess.run(
                [
                    Path(sys.executable).parent / "schemathesis",
                    "run",
                    f"{url}/openapi.json",
                    *(part for option in options.items() for part in option),
                    *chosen,
                ],
                cwd=tmp_path,
                env={**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS)},
                check=False,
                capture_output=True,
                text=True,
            )
        assert done.returncode == 0, (
            done.stdout.rpartition(" FAILURES ")[2][:8000] + done.stderr[-2000:]
        )
        assert "Stateful" in done.stdout

    return check


@pytest.fixture
def index_copy(index_path: Path, tmp_path: Path) -> Path:
    """A copy of the index of `corpus/` to spoil, without its cache.

    Its files are hard links: replace them, and never write into them.
    """
    return copy_of(index_path, tmp_path / "index")


@pytest.fixture(scope="session")
def build_index(index_path: Path) -> Callable[[Path, Path], None]:
    """Builds an index folder, which is made, from a corpus, with the encoder of the index of `corpus/`.

    To export the model anew would take most of the time of a small build.
    """

    def build_from(index: Path, corpus: Path) -> None:
        from indexer.build.build import build
        from indexer.build.request import BuildRequest

        copy_of(index_path, index)
        assert not build(BuildRequest(index, [corpus], replace=True)).failures

    return build_from


def copy_of(index_path: Path, copy: Path) -> Path:
    (copy / "generations").mkdir(parents=True)
    shutil.copy(index_path / "CURRENT", copy)
    generation = (index_path / "CURRENT").read_text().strip()
    shutil.copytree(
        index_path / "generations" / generation,
        copy / "generations" / generation,
        copy_function=os.link,
    )
    return copy


@pytest.fixture
def replace_content() -> Callable[[Path, bytes], None]:
    """Gives a file new content without touching the file that it may be a hard link to."""

    def replace(path: Path, content: bytes) -> None:
        path.unlink()
        path.write_bytes(content)

    return replace
