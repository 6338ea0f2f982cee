"""Figures as they are told: percentiles, one line per measurement, the table at the end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measured line: what, the figure, its target, the ratio to the baseline beside it, what it cost."""

    what: str
    figure: str
    target: str = ""
    ratio: str = ""
    cost: str = ""


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of them lie."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def latency(values_s: Sequence[float]) -> str:
    """Median and 99th percentile of seconds, as milliseconds."""
    return f"p50 {percentile(values_s, 0.5) * 1e3:.1f} ms, p99 {percentile(values_s, 0.99) * 1e3:.1f} ms"


def cost(used: dict[str, float], count: int, per: str) -> str:
    """CPU milliseconds for each of ``count``, by who used them."""
    parts = ", ".join(f"{name} {seconds / max(count, 1) * 1e3:.3f}" for name, seconds in used.items())
    return f"CPU ms a {per}: {parts}"


def table(rows: Iterable[Row]) -> str:
    """Markdown."""
    lines = ["| what | measured | target | ratio to the baseline | cost |", "|---|---|---|---|---|"]
    lines += [f"| {row.what} | {row.figure} | {row.target} | {row.ratio} | {row.cost} |" for row in rows]
    return "\n".join(lines)
