"""indexer.unpacking: nothing that was sent is trusted, not its name, its size nor what it says of itself"""

from __future__ import annotations

import gzip
import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from indexer.unpacking import Limits, Unpacked, unpack

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
        ("README.md", b""),
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
        "README.md",
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
    names = ["__MACOSX/._a.md", ".DS_Store", "b/README.md", "LICENSE", ".git/config"]
    found = opened(tmp_path, ("a.zip", zipped(("a.md", b"A"), *((name, b"") for name in names))))
    assert contents(found) == {"a.zip/a.md": b"A"}
    assert [name for name, _ in found.passed_over] == [f"a.zip/{name}" for name in names]
    assert found.failures == []
