"""Runs PostgreSQL's programs as an ordinary account, since they refuse to run as root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sayso.core.errors import SettingError

CANDIDATES: Final = ("sayso", "postgres", "nobody")
_PATH: Final = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
# Least first: passing through closed directories, then running programs installed for root alone.
_CAPABILITIES: Final = ("", "dac_read_search", "dac_override")
RUN_S: Final = 600


@dataclass(frozen=True, slots=True)
class _Account:
    uid: int
    gid: int
    name: str


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs programs of ``binaries`` as ``account`` (None: as ourselves), in a session of their own."""

    binaries: Path
    account: _Account | None = None
    capability: str = ""

    def own(self, directory: Path) -> None:
        """Give one empty directory of ours to the account."""
        if self.account is not None:
            os.chown(directory, self.account.uid, self.account.gid, follow_symlinks=False)

    def run(self, program: str, *arguments: str, feed: str = "") -> None:
        """Run to the end. Raises SettingError with what the program printed when it fails."""
        done = self.attempt([str(self.binaries / program), *arguments], feed=feed)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            raise SettingError(f"PostgreSQL's {program} failed: {said or f'exit code {done.returncode}'}")

    def attempt(self, argv: Sequence[str], *, feed: str = "") -> "subprocess.CompletedProcess[str]":
        """Run to the end, whatever the exit code; raises OSError when it cannot be started at all."""
        account = self.account if not self.capability else None
        return subprocess.run(  # noqa: S603 our own binaries, no shell, arguments are whole words
            [*self._prefix(), *argv],
            input=feed,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=RUN_S,
            cwd="/",
            env={"PATH": _PATH, "LC_ALL": "C"},  # no PG* variable of the user reaches the server
            start_new_session=True,  # our Ctrl-C is not the server's
            umask=0o077,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )

    def _prefix(self) -> list[str]:
        if not self.capability or self.account is None:
            return []
        setpriv = shutil.which("setpriv", path=_PATH)
        if setpriv is None:
            raise FileNotFoundError("setpriv")
        only = f"-all,+{self.capability}"
        identity = [f"--reuid={self.account.uid}", f"--regid={self.account.gid}", "--clear-groups"]
        # PostgreSQL asks access(2) whether it may run its own programs; without this bit of securebits the
        # kernel answers that call for an account without capabilities.
        power = ["--securebits=+no_setuid_fixup", f"--inh-caps={only}", f"--ambient-caps={only}"]
        return [setpriv, *identity, *power, "--no-new-privs", "--"]


def runner_for(data: Path, cluster: Path, binaries: Path) -> Runner:
    """Choose how to run PostgreSQL on ``cluster``: directly, or, when we are root, as another account.

    As root: the owner of the cluster or of the data directory, else ``sayso``, ``postgres`` or ``nobody``;
    a cluster owned by root (a restored copy, say) is given to that account. Nobody else's permissions are
    changed: what the account cannot reach, it reaches by a capability of that one process.
    Raises SettingError when there is no way.
    """
    if os.geteuid() != 0:
        _refuse_other_owner(cluster)
        return Runner(binaries)
    account = _account(cluster, data)
    runner = _reaching(data, binaries, account)
    if cluster.exists() and cluster.stat().st_uid != account.uid:
        _give(cluster, account)
    return runner


def _refuse_other_owner(cluster: Path) -> None:
    if cluster.exists() and (owner := cluster.stat().st_uid) != os.geteuid():
        raise SettingError(
            f"{cluster} belongs to the account {_name(owner)}, and this process runs as "
            f"{_name(os.geteuid())}. Run Sayso as {_name(owner)} or root, "
            "or hand the directory over with chown."
        )


def _account(cluster: Path, data: Path) -> _Account:
    for place in (cluster, data):
        if place.exists() and (owner := place.stat()).st_uid != 0:
            return _Account(owner.st_uid, owner.st_gid, _name(owner.st_uid))
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return _Account(entry.pw_uid, entry.pw_gid, name)
    raise SettingError(
        f"PostgreSQL refuses to run as root, and none of the accounts {', '.join(CANDIDATES)} exists. "
        "Create one (useradd --system sayso), run Sayso as an ordinary user, or set DATABASE_URL."
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _reaching(data: Path, binaries: Path, account: _Account) -> Runner:
    # A dry run of initdb: reaches the data directory, its own files, and the server it would call.
    show = ["--show", "-D", str(data), "-U", "sayso", "--locale=C"]
    probe = [
        "/bin/sh",
        "-c",
        'cd "$1" && shift && exec "$@"',
        "sh",
        str(data),
        str(binaries / "initdb"),
        *show,
    ]
    for capability in _CAPABILITIES:
        runner = Runner(binaries, account, capability)
        try:
            if runner.attempt(probe).returncode == 0:
                return runner
        except (OSError, subprocess.SubprocessError):
            continue
    raise SettingError(
        f"PostgreSQL refuses to run as root, and the account {account.name} cannot reach "
        f"{data} or {binaries}. "
        "Put both where it can (below /opt or /var/lib, say), install setpriv (package util-linux), "
        "run Sayso as an ordinary user, or set DATABASE_URL."
    )


def _give(cluster: Path, account: _Account) -> None:
    for folder, _, files in os.walk(cluster):
        for path in (folder, *(os.path.join(folder, name) for name in files)):  # noqa: PTH118 walk gives strings
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
