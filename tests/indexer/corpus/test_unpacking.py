"""indexer.corpus.unpacking: nothing that was sent is trusted, not its name, its size nor what it says of itself"""

from __future__ import annotations

import gzip
import io
import random
import resource
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from indexer.corpus.unpacking import Limits, Unpacked, unpack

LIMITS = Limits(unpacked_bytes=100_000, files=20)


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def opened(tmp_path: Path, *sent: tuple[str, bytes], limits: Limits = LIMITS) -> Unpacked:
    paths = []
    for number, (name, content) in enumerate(sent):
        path = tmp_path / f"sent-{number}"
        path.write_bytes(content)
        paths.append((name, path))
    return unpack(paths, tmp_path / "inside" / "unpacked", limits)


def contents(found: Unpacked) -> dict[str, bytes]:
    return {name: path.read_bytes() for path, name in found.files}


def everything(tmp_path: Path) -> set[str]:
    """All files there are but what was sent."""
    return {
        path.relative_to(tmp_path).as_posix()
        for path in tmp_path.rglob("*")
        if path.is_file() and not path.name.startswith("sent-")
    }


def test_what_is_of_another_form_is_named_by_it_with_the_way_out(tmp_path: Path) -> None:
    page = b"<!doctype html><p>Legs jerk.</p>"
    found = opened(
        tmp_path,
        ("guide.pdf", b"%PDF-1.7"),
        ("page.docx", page),
        ("all.zip", zipped(("deep/inner.zip", zipped()), ("slides.odp", b""), ("p.html", page))),
    )
    assert found.files == []
    assert [(each.path, each.reason.split(", and ")[0]) for each in found.failures] == [
        ("guide.pdf", "is a PDF"),
        ("page.docx", "is an HTML page"),
        ("all.zip/deep/inner.zip", "is an archive"),
        ("all.zip/slides.odp", "is a presentation"),
        ("all.zip/p.html", "is an HTML page"),
    ]
    assert found.failures[0].reason.endswith(": save the text with `pdftotext FILE.pdf`")


def test_files_archives_and_compressed_collections_become_plain_files(tmp_path: Path) -> None:
    found = opened(
        tmp_path,
        ("a.md", b"A"),
        ("deep/b.TXT", b"B"),
        ("c.jsonl.gz", gzip.compress(b"C")),
        ("d.zip", zipped(("x/e.md", b"E"), ("x/", b""), ("f.jsonl.gz", gzip.compress(b"F")))),
    )
    assert contents(found) == {
        "a.md": b"A",
        "deep/b.TXT": b"B",
        "c.jsonl.gz": b"C",
        "d.zip/x/e.md": b"E",
        "d.zip/f.jsonl.gz": b"F",
    }
    assert (found.failures, found.passed_over) == ([], [])
    assert {path.name for path, _ in found.files} >= {"c.jsonl", "f.jsonl"}


LEADING_ELSEWHERE = [
    "../evil.md",
    "a/../../evil.md",
    "/etc/evil.md",
    "..\\evil.md",
    "C:\\evil.md",
    "C:/evil.md",
    "a/./b.md",
    "a//b.md",
    "nul\x00.md",
    "line\nbreak.md",
    "d/" * 30 + "deep.md",
    "x" * 300 + ".md",
    ("x" * 250 + "/") * 19 + "deep.md",
]


@pytest.mark.parametrize("name", ["", *LEADING_ELSEWHERE])
def test_a_name_that_leads_elsewhere_is_refused_and_nothing_is_written(
    tmp_path: Path, name: str
) -> None:
    found = opened(tmp_path, (name, b"evil"), ("good.md", b"good"))
    assert contents(found) == {"good.md": b"good"}
    assert len(found.failures) == 1
    assert everything(tmp_path) == {"inside/unpacked/1/good.md"}


@pytest.mark.parametrize("name", [name for name in LEADING_ELSEWHERE if "\x00" not in name])
def test_so_is_one_in_an_archive(tmp_path: Path, name: str) -> None:
    found = opened(tmp_path, ("a.zip", zipped((name, b"evil"), ("good.md", b"good"))))
    assert contents(found) == {"a.zip/good.md": b"good"}
    assert len(found.failures) == 1
    assert everything(tmp_path) == {"inside/unpacked/0/good.md"}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_in_an_archive_are_refused(tmp_path: Path, kind: int) -> None:
    member = zipfile.ZipInfo("link.md")
    member.create_system = 3
    member.external_attr = (kind | 0o777) << 16
    found = opened(tmp_path, ("a.zip", zipped((member, b"/etc/passwd"), ("good.md", b"good"))))
    assert contents(found) == {"a.zip/good.md": b"good"}
    assert "link" in found.failures[0].reason
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.jsonl.gz", gzip.compress(b"0" * 50_000_000)),
        ("bomb.zip", zipped(("zeros.md", b"0" * 50_000_000))),
        ("many.zip", zipped(*((f"{n}.md", b"0" * 9_000) for n in range(15)))),
        ("files.zip", zipped(*((f"{n}.md", b"0") for n in range(30)))),
    ],
)
def test_what_unpacks_to_too_much_is_refused_as_a_whole(
    tmp_path: Path, name: str, content: bytes
) -> None:
    found = opened(tmp_path, (name, content))
    assert found.files == []
    assert [each.path for each in found.failures] == [name]
    assert "more than" in found.failures[0].reason
    assert everything(tmp_path) == set()


def test_an_archive_that_lies_about_its_sizes_is_counted_as_it_unpacks(tmp_path: Path) -> None:
    content = bytearray(zipped(("zeros.md", b"0" * 50_000_000)))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.index(signature) + offset, 10)
    found = opened(tmp_path, ("liar.zip", bytes(content)))
    assert found.files == []
    assert len(found.failures) == 1
    assert sum(path.stat().st_size for path in (tmp_path / "inside").rglob("*.md")) <= 100_000


def test_an_archive_whose_directory_alone_is_too_long_is_not_opened(tmp_path: Path) -> None:
    many = zipped(*((f"{n}.md", b"") for n in range(500)))
    found = opened(tmp_path, ("many.zip", many))
    assert "several archives" in found.failures[0].reason
    zip64 = many[:-22] + b"PK\x06\x07" + bytes(16) + many[-22:]
    found = opened(tmp_path, ("zip64.zip", zip64), limits=Limits(10_000_000, 1000))
    assert "several archives" in found.failures[0].reason


def test_every_file_that_is_no_article_is_named(tmp_path: Path) -> None:
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as archive, pytest.warns(UserWarning):
        archive.writestr("a.md", b"1")
        archive.writestr("a.md", b"2")
    encrypted = bytearray(zipped(("secret.md", b"text")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[encrypted.index(signature) + offset] |= 1
    damaged = bytearray(zipped(("damaged.md", b"text" * 50), how=zipfile.ZIP_STORED))
    damaged[60] ^= 1
    found = opened(
        tmp_path,
        ("a.pdf", b""),
        ("LICENSE.md", b""),
        ("_removed.txt", b""),
        ("b.zip", b"no archive"),
        ("c.jsonl.gz", b"no gzip"),
        ("twice.zip", twice.getvalue()),
        ("encrypted.zip", bytes(encrypted)),
        ("damaged.zip", bytes(damaged)),
        ("lzma.zip", zipped(("packed.md", b"text"), how=zipfile.ZIP_LZMA)),
        ("nested.zip", zipped(("inner.zip", b""))),
    )
    assert contents(found) == {"twice.zip/a.md": b"1"}
    assert sorted(each.path for each in found.failures) == [
        "LICENSE.md",
        "_removed.txt",
        "a.pdf",
        "b.zip",
        "c.jsonl.gz",
        "damaged.zip/damaged.md",
        "encrypted.zip/secret.md",
        "lzma.zip/packed.md",
        "nested.zip/inner.zip",
        "twice.zip/a.md",
    ]


def test_what_systems_put_into_archives_is_passed_over(tmp_path: Path) -> None:
    names = ["__MACOSX/._a.md", ".DS_Store", "b/_addresses.jsonl", "LICENSE", ".git/config"]
    found = opened(tmp_path, ("a.zip", zipped(("a.md", b"A"), *((name, b"") for name in names))))
    assert contents(found) == {"a.zip/a.md": b"A"}
    assert [name for name, _ in found.passed_over] == [f"a.zip/{name}" for name in names]
    assert found.failures == []


SMALL = zipped(
    ("a.md", b"# A\n\n" + b"Some text. " * 9),
    ("b/c.jsonl.gz", gzip.compress(b'{"id": "c"}')),
    ("d/", b""),
    ("e.md", b""),
)
"""An archive with all that there may be in one, to damage."""
LOCAL, DIRECTORY, END = (
    SMALL.index(mark) for mark in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06")
)


def changed(offset: int, value: bytes) -> bytes:
    return SMALL[:offset] + value + SMALL[offset + len(value) :]


@pytest.mark.parametrize(
    ("content", "failed"),
    [
        (changed(DIRECTORY + 46, b"\0"), "a.zip/"),
        (changed(END + 16, b"\xff\xff\xff\x7f"), "a.zip"),
        (changed(DIRECTORY + 42, b"\xff\xff\xff\x7f"), "a.zip/a.md"),
        (changed(LOCAL + 6, b"\0\x08").replace(b"a.md", b"\xff.md", 1), "a.zip/a.md"),
    ],
    ids=["a name that begins with NUL", "directory elsewhere", "file elsewhere", "no UTF-8"],
)
def test_what_damage_makes_the_library_raise_stops_nothing_else(
    tmp_path: Path, content: bytes, failed: str
) -> None:
    found = opened(tmp_path, ("a.zip", content), ("good.md", b"good"))
    assert contents(found)["good.md"] == b"good"
    assert any(each.path.startswith(failed) for each in found.failures)


def test_no_damage_to_an_archive_stops_anything_else(tmp_path: Path) -> None:
    chance = random.Random(7)
    for number in range(400):
        content = bytearray(SMALL)
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        if chance.random() < 0.1:
            del content[: chance.randrange(len(content))]
        folder = tmp_path / str(number)
        folder.mkdir()
        found = opened(folder, ("a.zip", bytes(content)), ("good.md", b"good"))
        assert contents(found)["good.md"] == b"good"


@pytest.mark.parametrize(
    "sent",
    [
        ("a.md", b"0" * 9_000),
        ("a.zip", zipped(("a.md", b"0" * 9_000))),
        ("a.jsonl.gz", gzip.compress(b"0" * 9_000)),
    ],
    ids=lambda sent: sent[0],
)
def test_a_disk_that_is_full_is_not_taken_for_damage(
    tmp_path: Path, sent: tuple[str, bytes]
) -> None:
    path = tmp_path / "sent"
    path.write_bytes(sent[1])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            unpack([(sent[0], path)], tmp_path / "unpacked", LIMITS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
