"""Tells from the pid file whether a PostgreSQL server lives, waits for it, stops it."""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sayso.core.errors import SettingError

PID_FILE: Final = "postmaster.pid"
START_S: Final = 300  # crash recovery after a busy day may take minutes
STOP_S: Final = 60
LOOK_S: Final = 0.01
_STATUS_LINE: Final = 7  # LOCK_FILE_LINE_PM_STATUS in PostgreSQL's pidfile.h, counted from 0


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A living server: its process and ``starting``, ``ready`` or ``stopping``."""

    pid: int
    status: str


def postmaster(cluster: Path) -> Postmaster | None:
    """Return the living server of the data directory ``cluster``, if there is one."""
    try:
        lines = (cluster / PID_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
        pid = int(lines[0])
        owner = cluster.stat().st_uid
    except (FileNotFoundError, IndexError, ValueError):
        return None
    if not _is_postgres(pid, owner):
        return None
    return Postmaster(pid, lines[_STATUS_LINE].strip() if len(lines) > _STATUS_LINE else "starting")


def _is_postgres(pid: int, owner: int) -> bool:
    """Whether this process number is a server of this account; numbers are reused after a power loss."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return not Path("/proc/self").exists() and _answers(pid)
    facts = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    gone = facts["State"].strip()[0] in "ZX"
    return facts["Name"].strip() == "postgres" and not gone and int(facts["Uid"].split()[0]) == owner


def _answers(pid: int) -> bool:
    """Without /proc: whether a process with this number is ours to signal."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def await_ready(cluster: Path, log: Path) -> bool:
    """Whether a server takes connections; waits for one on its way up or down, at most 300 s.

    Raises SettingError naming ``log`` when it does neither.
    """
    patience = time.monotonic() + START_S
    while (server := postmaster(cluster)) is not None:
        if server.status == "ready":
            return True
        if time.monotonic() > patience:
            raise SettingError(
                f"The embedded PostgreSQL in {cluster} (process {server.pid}) has been {server.status} "
                f"for more than {START_S} s. Its log is {log}."
            )
        time.sleep(LOOK_S)
    return False


def stop_fast(cluster: Path) -> bool:
    """Roll open transactions back, checkpoint, stop; False when 60 s were not enough."""
    server = postmaster(cluster)
    if server is None:
        return True
    with contextlib.suppress(ProcessLookupError):
        os.kill(server.pid, signal.SIGINT)  # PostgreSQL's "fast shutdown"
    patience = time.monotonic() + STOP_S
    while postmaster(cluster) is not None:
        if time.monotonic() > patience:
            return False
        time.sleep(LOOK_S)
    return True
