"""indexer.generations.publish"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.generations import finisher
from indexer.generations import publish as publishing
from indexer.generations.collect import collect
from indexer.generations.finisher import Finisher
from indexer.generations.lock import writer_lock
from indexer.generations.publish import building_folder, publish
from kb.schema.errors import BuildInProgress
from kb.storage import durable
from kb.storage.generation import Lease, current_generation, open_generation
from kb.storage.manifest import Counts, Manifest, ModelInfo
from kb.text.bm25f import BM25FParameters


def put(index: Path, second: int) -> str:
    """Publish a generation of two files, made at that second."""
    with building_folder(index) as folder:
        (folder / "keyword").mkdir()
        (folder / "keyword" / "x.seg").write_text(f"segment {second}")
        (folder / "articles.sqlite").write_text("articles")
        with Finisher(folder) as files:
            files.add_finished("keyword")
            infos = files.file_infos()
        manifest = Manifest(
            created=f"2026-01-31T12:00:{second:02}+00:00",
            model=ModelInfo("model", "00", 1, 1, "fp32"),
            bm25f=BM25FParameters(),
            corpora=(),
            counts=Counts(1, 1, 1, 1),
            failures=(),
            files=infos,
        )
        return publish(index, folder, manifest)


def there(index: Path) -> list[str]:
    return sorted(path.name for path in (index / "generations").iterdir())


def test_what_is_published_is_live_and_whole(tmp_path: Path) -> None:
    for second in (1, 2):
        generation = put(tmp_path, second)
        assert current_generation(tmp_path) == generation
        folder, manifest, lease = open_generation(tmp_path, "full")
        lease.release()
        assert folder.name == generation
        assert set(manifest.files) == {"keyword/x.seg", "articles.sqlite", "lease"}
    assert len(there(tmp_path)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["CURRENT", "cache", "generations"]


def test_everything_is_on_disk_before_current_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real = durable.fsync

    def fsync(path: Path) -> None:
        there_now = "CURRENT" if (tmp_path / "CURRENT").exists() else "-"
        manifest = "manifest" if list(tmp_path.glob("generations/*/manifest.json")) else "-"
        name = "folder" if path.name.startswith(".building") else path.name
        name = "CURRENT.new" if path.name.startswith(".CURRENT.") else name
        steps.append(f"{name} {manifest} {there_now}")
        real(path)

    for module in (finisher, publishing, durable):
        monkeypatch.setattr(module, "fsync", fsync)
    put(tmp_path, 1)
    steps[1:4] = sorted(steps[1:4])  # the files: several at a time
    assert steps == [
        *(f"{folder.name} - -" for folder in (tmp_path,)),  # where `generations` is made
        "articles.sqlite - -",
        "lease - -",
        "x.seg - -",
        "keyword - -",
        "folder - -",
        "manifest.json manifest -",
        "folder manifest -",
        "generations manifest -",
        "CURRENT.new manifest -",
        f"{tmp_path.name} manifest CURRENT",
    ]


def test_a_second_writer_is_refused_and_told_who_is_at_work(tmp_path: Path) -> None:
    with writer_lock(tmp_path):
        with pytest.raises(BuildInProgress) as caught, writer_lock(tmp_path):
            pass
        assert f"process {os.getpid()}" in str(caught.value)
        assert str(tmp_path) in str(caught.value)
    with writer_lock(tmp_path):
        pass


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from indexer.generations.lock import writer_lock\n"
        "with writer_lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BuildInProgress, match=f"process {holder.pid}"), writer_lock(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with writer_lock(tmp_path):
        pass


def test_collecting_keeps_the_live_generation_and_the_newest_other(tmp_path: Path) -> None:
    names = [put(tmp_path, second) for second in range(1, 6)]
    (tmp_path / "cache" / "verified").mkdir(parents=True, exist_ok=True)
    for name in names:
        (tmp_path / "cache" / "verified" / f"{name}.json").write_text("{}")
    (tmp_path / "CURRENT").write_text(names[1])
    assert sorted(collect(tmp_path)) == sorted([names[0], names[2], names[3]])
    assert there(tmp_path) == [names[1], names[4]]
    assert sorted(path.stem for path in (tmp_path / "cache" / "verified").iterdir()) == there(
        tmp_path
    )
    assert collect(tmp_path) == []
    assert collect(tmp_path, keep=1) == [names[4]]


def test_a_damaged_generation_does_not_stay_in_the_place_of_a_whole_one(tmp_path: Path) -> None:
    names = [put(tmp_path, second) for second in range(1, 4)]
    path = tmp_path / "generations" / names[1] / "articles.sqlite"
    status = path.stat()
    path.write_text("Articles")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert collect(tmp_path) == [names[1]]
    assert there(tmp_path) == [names[0], names[2]]


def test_a_damaged_generation_stays_where_there_is_no_whole_one(tmp_path: Path) -> None:
    names = [put(tmp_path, second) for second in range(1, 4)]
    for name in names[:2]:
        (tmp_path / "generations" / name / "articles.sqlite").unlink()
    assert collect(tmp_path) == [names[0]]


def test_a_generation_that_is_open_stays_until_a_later_collection(tmp_path: Path) -> None:
    names = [put(tmp_path, second) for second in range(1, 5)]
    lease = Lease(tmp_path / "generations" / names[0])
    assert collect(tmp_path) == [names[1]]
    assert (tmp_path / "generations" / names[0] / "manifest.json").exists()
    lease.release()
    assert collect(tmp_path) == [names[0]]


def test_nothing_is_collected_where_nobody_can_say_what_is_live(tmp_path: Path) -> None:
    names = [put(tmp_path, second) for second in range(1, 5)]
    (tmp_path / "CURRENT").write_text("../nonsense")
    assert collect(tmp_path) == []
    assert there(tmp_path) == names


def test_what_a_killed_build_left_is_swept_and_generations_are_not(tmp_path: Path) -> None:
    name = put(tmp_path, 1)
    leftover = tmp_path / "generations" / ".building-999"
    (leftover / "keyword").mkdir(parents=True)
    with building_folder(tmp_path) as folder:
        assert not leftover.exists()
        assert list(folder.iterdir()) == []
        (folder / "file").touch()
    assert there(tmp_path) == [name]


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), building_folder(tmp_path) as folder:
        (folder / "file").touch()
        1 / 0  # noqa: B018
    assert there(tmp_path) == []
