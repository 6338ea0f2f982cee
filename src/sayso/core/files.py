"""Files that appear complete or not at all, readable by this account alone; and whether one has changed."""

import os
import tempfile
from pathlib import Path


def create(path: Path, content: str) -> None:
    """Write a new file, mode 0600; one that is there already stays, so processes starting together agree."""
    draft = _draft(path, content)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # another process was first: then its file counts
    finally:
        draft.unlink()


def replace(path: Path, content: str) -> None:
    """Write a file anew, mode 0600; whoever reads it meanwhile gets the old one or the new one, whole."""
    draft = _draft(path, content)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise


def stamp(path: Path) -> tuple[int, int, int]:
    """What changes with a file; a link (as mounted secrets are) is followed. Raises OSError."""
    about = path.stat()
    return about.st_ino, about.st_mtime_ns, about.st_size


def _draft(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{path.name}-", dir=path.parent)  # mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
