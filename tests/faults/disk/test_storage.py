"""Disks that are full, mounted read-only or another user's, as commands meet them: mounts and users of the system"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kb.storage.manifest import Manifest
from support.commands import Kb, commands
from support.library import Library, held, leftovers, markdown
from support.places import ROOT

NOBODY = 65534

Mount = Callable[..., Path]

is_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount, and be somebody else")


@pytest.fixture
def kb(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Kb:
    """Runs a command in this process: exit code, stdout and stderr."""
    monkeypatch.setattr(
        "kb_cli.terminal.progress.QUIET_S", math.inf
    )  # however slow this machine is
    return commands(capsys)


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a file system of so many kilobytes, or a folder read-only, until the test is over."""
    mounted: list[Path] = []

    def call(kilobytes: int = 0, read_only: Path | None = None) -> Path:
        place = tmp_path / f"mounted-{len(mounted)}"
        place.mkdir()
        commands = (
            [
                ["mount", "--bind", str(read_only), str(place)],
                ["mount", "-o", "remount,bind,ro", str(place)],
            ]
            if read_only
            else [["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]]
        )
        for command in commands:
            if subprocess.run(command, check=False, capture_output=True).returncode:
                pytest.skip("nothing may be mounted here")
            if place not in mounted:
                mounted.append(place)
        return place

    yield call
    for place in reversed(mounted):
        subprocess.run(["umount", "--lazy", str(place)], check=False)


NO_ROOM = (
    r"kb: {}[^ ]*: (no room|No space left on device): about [\d.]+ MB are needed and [\d.]+ MB are free\. "
    r"Free some space there, then run this again\.\n"
)


@is_root
def test_a_build_without_room_for_the_model_is_refused_before_that_is_loaded(
    kb: Kb, mount: Mount
) -> None:
    place = mount(40 * 1024)
    code, out, err = kb("build", "--index", place / "index", "--corpus", ROOT / "corpus")
    assert (code, out) == (1, "")
    assert re.fullmatch(NO_ROOM.format(place / "index"), err), err
    needed, free = map(float, re.findall(r"([\d.]+) MB", err))
    assert needed > 165
    assert 30 < free <= 42
    assert leftovers(place / "index") == []


@is_root
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Whoosh's files
def test_a_disk_that_fills_up_during_a_build_is_never_a_bad_model(
    kb: Kb, mount: Mount, library: Library, monkeypatch: pytest.MonkeyPatch, is_long: bool
) -> None:
    for times in (
        "BYTES_PER_MODEL_BYTE",
        "GENERATION_BYTES_PER_STORE_BYTE",
        "CACHE_BYTES_PER_STORE_BYTE",
    ):
        monkeypatch.setattr(f"indexer.generations.disk_space.{times}", 0)  # nothing is foreseen
    failed = 0
    sizes = (40, 120, 200, 320, 480, 800, 8000)
    for kilobytes in sizes if is_long else sizes[::2]:
        index = mount(kilobytes) / "index"
        code, _, err = kb(
            *("build", "--index", index, "--corpus", library.corpus, "--model", library.model)
        )
        if code == 0:
            assert held(index) == library.texts
            continue
        failed += 1
        assert code == 1
        assert "No space left on device" in err, (kilobytes, err)
        assert err.endswith(" MB are free. Free some space there, then run this again.\n")
        assert err.startswith(f"kb: {index}: "), (kilobytes, err)
        assert err.count("\n") == 1
        assert leftovers(index) == []
    assert failed >= len(sizes) // 3
    assert code == 0


@is_root
def test_what_needs_room_for_a_whole_generation_asks_for_it_first(
    kb: Kb, mount: Mount, library: Library, tmp_path: Path
) -> None:
    library.put("article-0", "salted")
    library.build()  # and so its index knows its own corpus
    backup, incoming = tmp_path / "b.tar", tmp_path / "news.md"
    assert kb("backup", backup, "--index", library.index)[0] == 0
    size = sum(info.bytes for info in Manifest.load(library.live()).files.values())
    small = mount(size // 1024 // 2)
    for command in (("backup", small / "b.tar"), ("restore", backup)):
        index = small / "other" if command[0] == "restore" else library.index
        code, _, err = kb(*command, "--index", index)
        assert code == 1
        assert re.fullmatch(NO_ROOM.format(small), err), err
        assert "no room" in err
        assert list(small.iterdir()) == []
    large = mount(size * 8 // 1024)
    index = large / "index"
    assert kb("restore", backup, "--index", index)[0] == 0
    incoming.write_text(markdown("news", "tea"))
    (large / "fill").write_bytes(b"x" * (shutil.disk_usage(large).free - size // 2))
    code, _, err = kb("add", incoming, "--index", index, "--corpus", library.corpus)
    assert (code, re.fullmatch(NO_ROOM.format(index), err) is not None) == (1, True), err
    assert not (library.corpus / "news.md").exists()
    # What is removed is out of the corpus all the same, and `kb gc` runs where nothing can be written.
    code, _, err = kb("remove", "article-1", "--index", index, "--corpus", library.corpus)
    assert code == 1
    assert "The corpus has changed, but the index has not: run `kb build`.\n" in err
    assert re.search(NO_ROOM.format(index), err)
    (large / "rest").write_bytes(b"x" * shutil.disk_usage(large).free)
    # What can be deleted is; the database of embeddings may want room for that.
    code, _, err = kb("gc", "--index", index)
    assert code == 0 or err.endswith("Free some space there, then run this again.\n"), err
    code, out, err = kb("check", "--index", index)
    assert (code, err) == (0, ""), (out, err)
    for name in ("fill", "rest"):
        (large / name).unlink()
    code, _, err = kb("build", "--index", index, "--corpus", library.corpus)
    assert code == 0, err
    assert held(index) == {
        name: word for name, word in library.texts.items() if name != "article-1"
    }


@is_root
def test_an_index_that_is_mounted_read_only_names_that_and_stays_in_step_with_its_corpus(
    kb: Kb, mount: Mount, library: Library, tmp_path: Path
) -> None:
    library.put("article-0", "salted")
    library.build()
    incoming = tmp_path / "news.md"
    incoming.write_text(markdown("news", "tea"))
    assert kb("backup", tmp_path / "b.tar", "--index", library.index)[0] == 0
    place = mount(read_only=library.index)
    remedy = "Read-only file system. Mount it for writing, or use another place.\n"
    before = sorted(library.corpus.iterdir())
    for command in (
        ("build",),
        ("gc",),
        ("rollback",),
        ("add", incoming),
        ("remove", "article-1"),
        ("restore", tmp_path / "b.tar"),
    ):
        code, out, err = kb(*command, "--index", place)
        assert (code, out, err) == (1, "", f"kb: {place}: {remedy}"), command
    assert sorted(library.corpus.iterdir()) == before
    for reading in (("status",), ("check",)):
        code, _, err = kb(*reading, "--index", place)
        assert (code, err) == (0, ""), reading
    code, _, err = kb("backup", tmp_path / "c.tar", "--index", place)
    assert code == 0
    assert f"{place} cannot be written, so it does not record this backup" in err


AS_NOBODY = """
import json, os, sys
from kb_cli.main import run
index, corpus, incoming, backup = sys.argv[1:]
run(["build", "--index", index])  # what these load may be where nobody may read
run(["check", "--index", index])
run(["lint", corpus])
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
for command in json.load(sys.stdin):
    sys.stderr.flush()
    print("==", *command, file=sys.stderr)
    print(run([*command, "--index", index]), file=sys.stderr)
"""


@is_root
def test_an_index_of_another_user_says_whose_it_is(library: Library, tmp_path: Path) -> None:
    library.put("article-0", "salted")
    library.build()
    incoming = tmp_path / "news.md"
    incoming.write_text(markdown("news", "tea"))
    for folder in [*tmp_path.parents, tmp_path]:
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    before = sorted(library.corpus.iterdir())
    commands = [["build"], ["gc"], ["rollback"], ["add", str(incoming)], ["remove", "article-1"]]
    done = subprocess.run(
        [
            *(sys.executable, "-c", AS_NOBODY, str(library.index), str(library.corpus)),
            *(str(incoming), str(tmp_path / "b.tar")),
        ],
        input=json.dumps([*commands, ["check"]]),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    said = re.findall(r"^== (\S+).*\n((?:.*\n)*?)(\d)$", done.stderr, re.MULTILINE)
    assert [name for name, _, _ in said] == [*(command[0] for command in commands), "check"]
    whose = f"{library.index} belongs to root, but nobody runs this: run it as root, or give nobody access to it."
    for name, message, code in said[:-1]:
        assert (code, message) == ("1", f"kb: {library.index}: Permission denied. {whose}\n"), name
    assert said[-1][2] == "0", done.stderr
    assert sorted(library.corpus.iterdir()) == before
