"""What the whole suite shares: one index of `corpus/`, built once, and the knowledge base opened from it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
for name in [
    name for name in os.environ if name.startswith("KB_") and name != "KB_REQUIRE_BROWSER"
]:
    del os.environ[name]  # a developer's own settings must not reach a test

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "corpus"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults-long", action="store_true", help="run the fault tests in full (make faults)"
    )


@pytest.fixture(scope="session")
def index_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of `corpus/`. Read-only: a test that changes an index makes its own."""
    from indexer.build import build

    path = tmp_path_factory.mktemp("library") / "index"
    report = build(path, [CORPUS])
    assert not report.failures
    return path


@pytest.fixture(scope="session")
def knowledge_base(index_path: Path) -> Iterator[object]:
    """The knowledge base of `corpus/`."""
    from kb import KnowledgeBase

    with KnowledgeBase.open(index_path, verify="full") as opened:
        yield opened


@pytest.fixture(scope="session")
def service_url(index_path: Path) -> Iterator[str]:
    """The address of a running service over the index of `corpus/`."""
    from search_api.server import listen, make_server
    from search_api.settings import load_settings

    listener = listen("127.0.0.1", 0)
    server = make_server(load_settings(index=index_path))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def index_copy(index_path: Path, tmp_path: Path) -> Path:
    """A copy of the index of `corpus/` to spoil, without its cache.

    Its files are hard links: replace them, and never write into them.
    """
    copy = tmp_path / "index"
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
