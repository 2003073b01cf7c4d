"""What processes cost: processor time and memory, of a process and all its children, by /proc."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")


def family(pid: int) -> list[int]:
    """A process, its children, their children and so on."""
    children: dict[int, list[int]] = {}
    for entry in PROC.glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def cpu(pids: Iterable[int]) -> float:
    """Seconds of processor time of these processes and their children that still run."""
    all_of_them = (one for pid in pids for one in family(pid))
    return sum(_thread_time(thread) for one in all_of_them for thread in _threads(one))


def memory(pid: int) -> float:
    """Megabytes of memory that a process holds (its resident set)."""
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _threads(pid: int) -> list[Path]:
    try:
        return list((PROC / str(pid) / "task").iterdir())
    except OSError:
        return []


def _thread_time(thread: Path) -> float:
    """To the nanosecond, where `stat` counts hundredths of a second."""
    try:
        return int((thread / "schedstat").read_text().split()[0]) / 1e9
    except (OSError, IndexError):
        return 0.0
