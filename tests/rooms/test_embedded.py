"""The embedded PostgreSQL: made, shared, stopped by its last user, whatever kills whom."""

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from sayso.core.accounts import Runner
from sayso.core.embedded import EmbeddedPostgres, _binaries, start
from sayso.core.errors import SettingError
from sayso.core.postmaster import postmaster

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")

USER = """
import sys, pathlib
from sayso.core.embedded import start
use = start(pathlib.Path(sys.argv[1]))
print(use.dsn, flush=True)
sys.stdin.read()
print(use.release(), flush=True)
"""


@pytest.fixture
def data() -> Iterator[Path]:
    """Yield a data directory at a place everybody can reach; nothing is left running in it."""
    place = Path(tempfile.mkdtemp(prefix="sayso-test-"))
    place.chmod(0o755)
    yield place / "data"
    for pid_file in place.rglob("postmaster.pid"):
        server = postmaster(pid_file.parent)
        if server is not None:
            os.kill(server.pid, signal.SIGQUIT)
    shutil.rmtree(place, ignore_errors=True)


def ask(dsn: str, sql: str) -> object:
    async def once() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(once())


def pid_of(data: Path) -> int:
    server = postmaster(data / "postgres")
    assert server is not None
    return server.pid


@contextlib.contextmanager
def another_process(data: Path, *prefix: str) -> Iterator["subprocess.Popen[str]"]:
    command = [*prefix, sys.executable, "-c", USER, str(data)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd="/") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("postgresql://"), process.stderr.read()
        yield process
        process.kill()


def test_the_first_start_makes_a_utf8_database_with_fsync_on_and_no_tcp(data: Path) -> None:
    use = start(data)
    assert not use.attached
    assert ask(use.dsn, "SELECT current_user || current_database()") == "saysosayso"
    sql = "SELECT pg_encoding_to_char(encoding) || datlocale FROM pg_database WHERE datname = 'sayso'"
    assert ask(use.dsn, sql) == "UTF8C.UTF-8"
    assert ask(use.dsn, "SELECT current_setting('fsync') || current_setting('listen_addresses')") == "on"
    assert ask(use.dsn, "SELECT count(*) FROM pg_settings WHERE source = 'command line'") > 15  # type: ignore[operator]
    assert (data / "postgres").stat().st_mode & 0o777 == 0o700
    assert use.release()


def test_a_second_start_attaches_and_only_the_last_user_stops_the_server(data: Path) -> None:
    first = start(data)
    with another_process(data) as other:
        third = start(data)
        assert third.attached
        assert not first.release()
        assert not third.release()
        assert not third.release(), "a second release gives nothing up"
        assert ask(first.dsn, "SELECT 1") == 1
        said, _ = other.communicate()
        assert said.strip() == "True"
    assert postmaster(data / "postgres") is None


def test_a_user_killed_without_warning_does_not_keep_the_server(data: Path) -> None:
    with another_process(data) as other:
        use = start(data)
        other.kill()
        other.wait()
        assert ask(use.dsn, "SELECT 1") == 1
        assert use.release()
    assert postmaster(data / "postgres") is None


def test_the_server_survives_its_killed_starter_and_the_next_start_attaches(data: Path) -> None:
    with another_process(data) as other:
        pid = pid_of(data)
        other.kill()
        other.wait()
    use = start(data)
    assert use.attached
    assert pid_of(data) == pid
    assert use.release()


def test_the_server_has_its_own_session_and_none_of_our_locks(data: Path) -> None:
    use = start(data)
    pid = pid_of(data)
    assert os.getsid(pid) != os.getsid(0)
    held = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    assert not [name for name in held if name.endswith((".users", ".lock"))]
    assert use.release()


def test_what_was_committed_survives_a_killed_server(data: Path) -> None:
    use = start(data)
    ask(use.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    pid = pid_of(data)
    os.kill(pid, signal.SIGKILL)
    while postmaster(data / "postgres") is not None:
        pass
    again = start(data)
    assert not again.attached
    assert ask(again.dsn, "SELECT answer FROM kept") == 42
    assert not again.release()
    assert use.release()


def test_an_empty_pid_file_left_by_a_power_loss_does_not_stop_the_start(data: Path) -> None:
    start(data).release()
    (data / "postgres" / "postmaster.pid").touch()
    use = start(data)
    assert not use.attached
    assert use.release()


def test_a_pid_file_whose_number_now_belongs_to_somebody_else_does_not_stop_the_start(data: Path) -> None:
    start(data).release()
    owner = (data / "postgres").stat().st_uid
    with subprocess.Popen(["sleep", "60"], user=owner) as stranger:
        remains = f"{stranger.pid}\n{data}/postgres\n1\n5432\n{data}/postgres\n\n1 2\nready   \n"
        (data / "postgres" / "postmaster.pid").write_text(remains)
        use = start(data)
        assert not use.attached
        assert use.release()
        assert stranger.poll() is None, "whoever it is was left alone"
        stranger.kill()


def test_the_data_of_another_major_version_is_refused_with_what_to_do(data: Path) -> None:
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(SettingError, match=r"made by PostgreSQL 16; .* pg_dump .* DATABASE_URL"):
        start(data)


def test_a_directory_with_other_things_in_it_is_refused(data: Path) -> None:
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "holiday.jpg").touch()
    with pytest.raises(SettingError, match="not empty"):
        start(data)


def test_an_unusable_place_is_a_plain_sentence(data: Path) -> None:
    data.touch()
    with pytest.raises(SettingError, match="SAYSO_DATA_DIR"):
        start(data)


def test_a_failed_start_shows_the_end_of_the_log_and_the_next_one_works(data: Path) -> None:
    start(data).release()
    settings = data / "postgres" / "postgresql.conf"
    good = settings.read_text()
    settings.write_text(good + "\nno_such_thing = 1\n")
    with pytest.raises(SettingError, match='unrecognized configuration parameter "no_such_thing"'):
        start(data)
    settings.write_text(good)
    assert start(data).release()


@pytest.mark.parametrize("name", ["a b/ünder 'quote'", "one, two", "long" * 40])
def test_any_path_will_do(data: Path, name: str) -> None:
    use = start(data / name)
    assert ask(use.dsn, "SELECT 1") == 1
    other = start(data / name)
    assert other.dsn == use.dsn
    assert not other.release()
    sockets = ask(use.dsn, "SELECT current_setting('unix_socket_directories')")
    assert use.release()
    again = start(data / name)
    assert ask(again.dsn, "SELECT 1") == 1
    elsewhere = Path(str(sockets).strip('"'))
    assert elsewhere.is_relative_to(data) or not elsewhere.exists(), "the old socket directory is gone"
    again.release()


def test_starting_and_releasing_at_once_never_fails(data: Path) -> None:
    def use_it(_: int) -> None:
        use = start(data)
        assert ask(use.dsn, "SELECT 1") == 1
        use.release()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(use_it, range(30)))
    assert postmaster(data / "postgres") is None


def owner_of(pid: int) -> int:
    facts = Path(f"/proc/{pid}/status").read_text().split("Uid:")[1].split()
    return int(facts[0])


@as_root
def test_as_root_the_server_runs_as_the_owner_of_the_directory(data: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    data.mkdir()
    os.chown(data, nobody, -1)
    use = start(data)
    assert owner_of(pid_of(data)) == nobody
    assert use.release()


@as_root
def test_as_root_a_restored_copy_is_given_to_the_account_and_nothing_else_changes(data: Path) -> None:
    start(data).release()
    subprocess.run(["chown", "-R", "root:", data / "postgres"], check=True)
    before = (data.stat().st_mode, data.stat().st_uid)
    use = start(data)
    assert ask(use.dsn, "SELECT 1") == 1
    assert owner_of(pid_of(data)) != 0
    assert (data.stat().st_mode, data.stat().st_uid) == before
    assert use.release()


@as_root
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
def test_as_root_a_closed_directory_on_the_way_is_passed_by_a_capability(data: Path) -> None:
    data.mkdir(mode=0o700)
    data.parent.chmod(0o700)
    use = start(data)
    pid = pid_of(data)
    assert owner_of(pid) != 0
    assert ask(use.dsn, "SELECT 1") == 1
    assert "NoNewPrivs:\t1" in Path(f"/proc/{pid}/status").read_text()
    assert data.stat().st_mode & 0o777 == 0o700
    assert data.parent.stat().st_mode & 0o777 == 0o700
    assert use.release()


@as_root
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
@pytest.mark.parametrize("closed", ["the way to it", "every file"])
def test_as_root_an_installation_for_root_alone_is_used_as_it_is(
    data: Path, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    package = _binaries().parents[1]
    place = data.parent / "closed"
    (place / package.name).mkdir(parents=True)
    place.chmod(0o700)
    subprocess.run(["cp", "-r", package / "pginstall18", place / package.name], check=True)
    subprocess.run(["cp", "-r", f"{package}.libs", place], check=True)
    if closed == "every file":
        subprocess.run(["chmod", "-R", "go-rwx", place], check=True)
    monkeypatch.setattr("sayso.core.embedded._binaries", lambda: place / package.name / "pginstall18" / "bin")
    use = start(data)
    assert ask(use.dsn, "SELECT 1") == 1
    assert use.release()


def test_a_first_start_killed_halfway_leaves_nothing_that_stops_or_fills_the_next(data: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", USER, str(data)], stdin=subprocess.PIPE) as starter:
        while not list(data.glob("postgres.new-*/PG_VERSION")):
            pass
        starter.kill()
    use = start(data)
    assert ask(use.dsn, "SELECT 1") == 1
    assert use.release()
    assert start(data).release()
    assert {path.name for path in data.iterdir()} == {"postgres", "postgres.lock", "postgres.users"}


@as_root
def test_as_root_without_any_way_in_a_sentence_says_what_to_do(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.mkdir(mode=0o700)
    monkeypatch.setattr("sayso.core.accounts._CAPABILITIES", ("",))
    with pytest.raises(SettingError, match=r"cannot reach .* setpriv"):
        start(data)


@as_root
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
def test_an_ordinary_account_needs_no_root(data: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    data.mkdir(mode=0o700)
    os.chown(data, nobody.pw_uid, nobody.pw_gid)
    # The capability is for this test's Python alone, which may be installed where nobody cannot read.
    identity = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    passing = ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]
    with another_process(data, "setpriv", *identity, *passing) as other:
        assert owner_of(pid_of(data)) == nobody.pw_uid
        assert (data / "postgres").stat().st_uid == nobody.pw_uid
        said, _ = other.communicate()
        assert said.strip() == "True"


@as_root
def test_an_ordinary_account_is_told_whose_directory_it_is(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use: EmbeddedPostgres = start(data)
    use.release()
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    with pytest.raises(SettingError, match=r"belongs to the account .* runs as 4711"):
        start(data)


def test_a_program_that_fails_says_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="PostgreSQL's sh failed: no such luck"):
        Runner(Path("/bin")).run("sh", "-c", "echo no such luck >&2; exit 3")
    assert not list(tmp_path.iterdir())
