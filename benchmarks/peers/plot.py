"""Given a run, a picture of latency against quality, as SVG."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.engines import NAMES
from benchmarks.peers.runs import Run

COLOURS = {"hybrid": "#1b6ca8", "keyword": "#8a5a00", "dense": "#5b7f3a"}
OWN = "#b3202c"
MEANING = {"hybrid": "words and meaning", "keyword": "words alone", "dense": "meaning alone"}


def latency_against_quality(run: Run, path: Path) -> None:
    """A point for each engine: the milliseconds of a question, from its text to its results, and nDCG@10."""
    import matplotlib as mpl  # noqa: PLC0415  (stands in the peers' environment alone)

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "peers", "svg.fonttype": "none", "font.family": "sans-serif"}
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(8, 5))
    for name in NAMES:
        if name not in run.engines:
            continue
        found = run.engines[name]
        x, y = found["figures"]["end_to_end"]["p50"], found["quality"]["ndcg"]
        colour = OWN if name == "own" else COLOURS[found["kind"]]
        axes.plot(x, y, "*" if name == "own" else "o", color=colour, ms=14 if name == "own" else 7)
        axes.annotate(
            found["title"], (x, y), (6, 5), textcoords="offset points", fontsize=8, color=colour
        )
    for kind, colour in COLOURS.items():
        axes.plot([], [], "o", color=colour, label=MEANING[kind])
    axes.set_xscale("log")
    axes.margins(x=0.18, y=0.12)
    axes.set_xlabel(
        "milliseconds from a question's text to its results, median (better to the left)"
    )
    axes.set_ylabel("nDCG@10 (better above)")
    axes.grid(alpha=0.3)
    axes.legend(loc="best", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)
