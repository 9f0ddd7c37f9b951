"""Given a run, its tables in Markdown, and documents with these in their place.

A document holds them between `<!-- peers -->` and `<!-- /peers -->`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.engines import NAMES
from benchmarks.peers.runs import Run

Found = dict[str, Any]
Column = tuple[str, Callable[[Found], str]]


def _ms(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _score(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _latency(figure: str, *percentiles: str) -> Callable[[Found], str]:
    return lambda found: " / ".join(_ms(found["figures"][figure][name]) for name in percentiles)


def _rate(figure: str, *places: int) -> Callable[[Found], str]:
    def shown(found: Found) -> str:
        rates = [found["figures"][figure][place] for place in places]
        failed = sum(rate["failed"] for rate in rates)
        text = " / ".join(_ms(rate["per_second"]) for rate in rates)
        return f"{text} ({failed} failed)" if failed else text

    return shown


def _gain(run: Run) -> Callable[[Found], str]:
    """By how much this project's nDCG@10 is above, with the 95 % interval: paired bootstrap, fixed seed."""

    def shown(found: Found) -> str:
        if found is run.engines.get("own") or "own" not in run.engines:
            return ""
        own, other = (np.array(of["quality"]["ndcg_of_each"]) for of in (run.engines["own"], found))
        gains = own - other
        drawn = np.random.default_rng(0).integers(0, len(gains), (10_000, len(gains)))
        low, high = np.percentile(gains[drawn].mean(axis=1), (2.5, 97.5))
        return f"{gains.mean():+.3f} ({low:+.3f} to {high:+.3f})"

    return shown


def _name(found: Found) -> str:
    return f"**{found['title']}**" if found["title"] == "this project" else str(found["title"])


NAME: Column = ("", _name)
NDCG: Column = ("nDCG@10", lambda found: _score(found["quality"]["ndcg"]))
SUMMARY: tuple[Column, ...] = (
    NAME,
    NDCG,
    ("a question, p50 / p95 ms", _latency("end_to_end", "p50", "p95")),
    ("without encoding it", _latency("given_vector", "p50", "p95")),
    ("questions/s, 8 clients", _rate("clients", 2)),
    ("memory MB", lambda found: f"{found['figures']['memory_end_to_end_mb']:,.0f}"),
    ("first answer s", lambda found: f"{found['cold_s']:.1f}"),
)
SHORT = ("own", "txtai", "lancedb", "sqlite", "plain")
"""The engines of the short table."""
QUALITY: tuple[Column, ...] = (
    NAME,
    NDCG,
    ("unjudged removed", lambda found: _score(found["quality"]["ndcg_judged"])),
    ("recall@100", lambda found: _score(found["quality"]["recall_100"])),
    ("p50 / p95 / p99 ms", _latency("end_to_end", "p50", "p95", "p99")),
    ("without encoding", _latency("given_vector", "p50", "p95", "p99")),
    ("100 results, without encoding", _latency("given_vector_deep", "p50", "p95", "p99")),
    ("questions asked", lambda found: f"{found['figures']['end_to_end']['asked']:,}"),
)
COST: tuple[Column, ...] = (
    NAME,
    ("questions/s, 1 / 2 / 8 clients", _rate("clients", 0, 1, 2)),
    ("without encoding", _rate("clients_given_vector", 0, 1, 2)),
    ("indexing, passages/s", lambda found: f"{found['build']['passages_per_second']:,.0f}"),
    ("memory MB", lambda found: f"{found['figures']['memory_end_to_end_mb']:,.0f}"),
    ("before it has encoded", lambda found: f"{found['figures']['memory_mb']:,.0f}"),
    ("disk MB", lambda found: f"{found['disk_mb']:,.0f}"),
    ("first answer s", lambda found: f"{found['cold_s']:.2f}"),
    ("machine ms", lambda found: f"{found['figures']['machine_ms']:.1f}"),
)


def table(run: Run, columns: Iterable[Column], engines: Iterable[str] = NAMES) -> str:
    """A row for each of the engines that the run has."""
    columns = list(columns)
    head = (
        "| "
        + " | ".join(title for title, _ in columns)
        + " |\n|---|"
        + "---:|" * (len(columns) - 1)
    )
    rows = [
        "| " + " | ".join(cell(run.engines[name]) for _, cell in columns) + " |"
        for name in engines
        if name in run.engines
    ]
    return "\n".join([head.replace("|  |", "| |", 1), *rows])


def summary(run: Run) -> str:
    """The short table: the engines in `SHORT` alone."""
    return table(run, SUMMARY, SHORT)


def details(run: Run) -> str:
    """All tables, the machine, and each engine's versions and settings."""
    on, of = run.machine, run.material
    about = (
        f"{of['passages']:,} passages of {of['articles']:,} articles, {of['questions']} questions, {of['model']}; "
        f"{on['cores']} cores of {on['processor']}, {on['memory_gb']} GB, {on['system']}, Python {on['python']}."
    )
    settings = [
        "| | versions | settings |\n|---|---|---|",
        *(
            f"| {found['title']} | {_versions(found)} | {found['settings']} |"
            for found in (run.engines[name] for name in NAMES if name in run.engines)
        ),
    ]
    quality = (*QUALITY[:2], ("this project's gain", _gain(run)), *QUALITY[2:])
    return "\n\n".join([about, table(run, quality), table(run, COST), "\n".join(settings)])


def _versions(found: Found) -> str:
    return ", ".join(f"{name} {version}" for name, version in found["versions"].items())


def put(document: Path, content: str) -> None:
    """The content in place of what the document has between its marks. Raises ValueError where it has none."""
    text = document.read_text(encoding="utf-8")
    marked = re.compile(r"(<!-- peers -->\n).*?(\n<!-- /peers -->)", re.DOTALL)
    if not marked.search(text):
        raise ValueError(f"{document}: has no <!-- peers --> with <!-- /peers --> below it.")
    document.write_text(
        marked.sub(lambda found: f"{found[1]}\n{content}\n{found[2]}", text), encoding="utf-8"
    )
