"""What processes cost, read from /proc: CPU seconds and memory of a process and everything below it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_MIB = 1024.0  # /proc speaks of kB


@dataclass(frozen=True, slots=True)
class Tree:
    """A process and its descendants."""

    root: int

    def cpu_s(self) -> float:
        """CPU seconds so far, user and system, of the living and of children that have ended."""
        root = _stat(self.root)
        ticks = sum(int(root[at]) for at in (11, 12, 13, 14)) if root else 0
        for pid in self.below():
            if stat := _stat(pid):
                ticks += sum(int(stat[at]) for at in (11, 12, 13, 14))
        return ticks / _TICK

    def rss_mib(self) -> float:
        """Resident memory, shared pages counted in every process that maps them."""
        return sum(_field(pid, "status", "VmRSS") for pid in (self.root, *self.below())) / _MIB

    def pss_mib(self) -> float:
        """Resident memory with shared pages divided among those who share them: what the tree really takes."""
        return sum(_field(pid, "smaps_rollup", "Pss") for pid in (self.root, *self.below())) / _MIB

    def below(self) -> Iterator[int]:
        """Every process below, at whatever depth."""
        for task in _PROC.joinpath(str(self.root), "task").glob("*/children"):
            try:
                children = task.read_text(encoding="ascii").split()
            except OSError:
                continue
            for child in map(int, children):
                yield child
                yield from Tree(child).below()


@dataclass(slots=True)
class Meter:
    """CPU seconds used between two looks, of several trees by name."""

    trees: dict[str, Tree]
    _before: dict[str, float]

    @classmethod
    def start(cls, **trees: Tree) -> "Meter":
        """Begin to count."""
        return cls(trees, {name: tree.cpu_s() for name, tree in trees.items()})

    def used(self) -> dict[str, float]:
        """CPU seconds since the start."""
        return {name: tree.cpu_s() - self._before[name] for name, tree in self.trees.items()}


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name, which may hold anything."""
    try:
        return _PROC.joinpath(str(pid), "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def _field(pid: int, file: str, name: str) -> int:
    try:
        text = _PROC.joinpath(str(pid), file).read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name}:")), 0)
