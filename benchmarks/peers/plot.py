"""Given a run, a picture of latency against quality, as SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.peers.engines import NAMES
from benchmarks.peers.runs import Run

COLOURS = {"hybrid": "#1b6ca8", "keyword": "#8a5a00", "dense": "#5b7f3a"}
OWN = "#b3202c"
HEIGHTS = (0, 8, -8, 16, -16, 24, -24, 32, -32, 40, -40, 48)
PLACES = [((x, y), "left" if x > 0 else "right") for y in HEIGHTS for x in (7, -7)]
"""Where a label may stand beside its point: an offset in points, and the side at which it begins."""
MEANING = {"hybrid": "words and meaning", "keyword": "words alone", "dense": "meaning alone"}


def latency_against_quality(run: Run, path: Path) -> None:
    """A point for each engine: the milliseconds of a question, from its text to its results, and nDCG@10."""
    import matplotlib as mpl  # noqa: PLC0415  (stands in the peers' environment alone)

    mpl.use("agg")
    mpl.rcParams |= {"svg.hashsalt": "peers", "svg.fonttype": "none", "font.family": "sans-serif"}
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(8, 5))
    labels = []
    for name in NAMES:
        if name not in run.engines:
            continue
        found = run.engines[name]
        x, y = found["figures"]["end_to_end"]["p50"], found["quality"]["ndcg"]
        colour = OWN if name == "own" else COLOURS[found["kind"]]
        axes.plot(x, y, "*" if name == "own" else "o", color=colour, ms=14 if name == "own" else 7)
        labels.append((found["title"], (x, y), colour))
    for kind, colour in COLOURS.items():
        axes.plot([], [], "o", color=colour, label=MEANING[kind])
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(x=0.18, y=0.12)
    axes.set_xlabel(
        "milliseconds from a question's text to its results, median (better to the left)"
    )
    axes.set_ylabel("nDCG@10 (better above)")
    axes.grid(alpha=0.3)
    axes.legend(loc="best", fontsize=8)
    figure.tight_layout()
    _label(axes, labels)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)


def _label(axes: Any, labels: list[tuple[str, tuple[float, float], str]]) -> None:
    """Each beside its point, at the first of some places where it covers neither another label nor a point."""
    renderer = axes.figure.canvas.get_renderer()
    points = [axes.transData.transform(place) for _, place, _ in labels]
    taken: list[Any] = []
    for text, place, colour in labels:
        for offset, side in PLACES:
            shown = axes.annotate(
                text,
                place,
                offset,
                textcoords="offset points",
                ha=side,
                va="center",
                fontsize=8,
                color=colour,
            )
            box = shown.get_window_extent(renderer)
            inside = axes.bbox.x0 < box.x0 and box.x1 < axes.bbox.x1
            if inside and not box.count_overlaps(taken) and not box.count_contains(points):
                break
            if (offset, side) != PLACES[-1]:
                shown.remove()
        taken.append(box)
