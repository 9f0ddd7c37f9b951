"""The table, the JSON and the plot of what `benchmarks/growth.py` measured.

    python -m benchmarks.growth_report --out FOLDER [--images docs/images]

Writes growth.md and growth.json into FOLDER, and growth.svg into that of the images, for which it needs matplotlib.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from pathlib import Path

COLUMNS = {
    "p50_ms": "p50 ms",
    "p95_ms": "p95 ms",
    "without_encoding_ms": "p50 without encoding",
    "pss_mb": "memory MB (PSS)",
    "anonymous_mb": "of it not mapped",
    "disk_mb": "disk MB",
    "rebuild_s": "rebuild, processor s",
}


def slope(sizes: list[int], values: list[float]) -> float:
    """The exponent of the power law nearest to the values, by least squares of the logarithms."""
    x, y = [math.log(size) for size in sizes], [math.log(value) for value in values]
    return statistics.linear_regression(x, y).slope


def _exponent(rows: list[dict[str, float]], name: str) -> float:
    return round(slope([row["passages"] for row in rows], [row[name] for row in rows]), 2)


def report(folder: Path, images: Path | None) -> None:
    """Write the table, the JSON and the plot of all sizes that were built and asked."""
    rows = []
    for note in folder.glob("build-*.json"):
        asked = folder / note.name.replace("build", "ask")
        if asked.exists():
            rows.append({**json.loads(note.read_text()), **json.loads(asked.read_text())})
    rows.sort(key=lambda row: row["passages"])
    exponents = {name: _exponent(rows, name) for name in COLUMNS}
    last = {name: _exponent(rows[-2:], name) for name in COLUMNS}
    (folder / "growth.json").write_text(
        json.dumps({"sizes": rows, "exponents": exponents, "last": last}, indent=1)
    )
    lines = [
        "| passages | " + " | ".join(COLUMNS.values()) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    lines += [
        f"| {row['passages']:,} | " + " | ".join(f"{row[name]:,}" for name in COLUMNS) + " |"
        for row in rows
    ]
    for title, found in (("exponent", exponents), ("of the last two", last)):
        lines.append(f"| {title} | " + " | ".join(str(found[name]) for name in COLUMNS) + " |")
    table = "\n".join(lines) + "\n"
    (folder / "growth.md").write_text(table)
    print(table)
    if images is not None:
        plot(images / "growth.svg", rows)


def plot(path: Path, rows: list[dict[str, float]]) -> None:
    """Latency, memory and disk, and rebuild time against passages, both axes logarithmic."""
    import matplotlib as mpl  # noqa: PLC0415  (only for plots)

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "growth", "svg.fonttype": "none"})
    import matplotlib.pyplot as plt  # noqa: PLC0415

    parts = (
        (
            "a question, ms",
            {"p95_ms": "p95", "p50_ms": "p50", "without_encoding_ms": "p50 without encoding"},
        ),
        ("MB", {"disk_mb": "disk", "pss_mb": "memory (PSS)", "anonymous_mb": "of it not mapped"}),
        ("a rebuild, processor s", {"rebuild_s": "without embedding"}),
    )
    figure, axes = plt.subplots(1, len(parts), figsize=(12, 3.6), layout="constrained")
    for axis, (label, series) in zip(axes, parts, strict=True):
        for name, title in series.items():
            axis.plot(
                [row["passages"] for row in rows],
                [row[name] for row in rows],
                marker="o",
                label=f"{title}, N^{_exponent(rows, name)}",
            )
        axis.set(xscale="log", yscale="log", xlabel="passages", ylabel=label)
        axis.grid(visible=True, which="both", alpha=0.2)
        axis.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Report what is there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder of benchmarks.growth")
    parser.add_argument("--images", type=Path)
    given = parser.parse_args()
    report(given.out, given.images)


if __name__ == "__main__":
    main()
