"""What is committed installs anywhere, is licensed, and keeps its floors apart."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]
# Put together from halves, so that this file passes its own test.
FORBIDDEN = re.compile(
    "|".join([
        "index" + "-url", "/sim" + "ple/", "find" + "-links", "pypi" + r"\.org", "python" + r"hosted\.org",
        "npmjs" + r"\.(org|com)", "/ho" + r"me/\w", "/Us" + r"ers/\w", "/ro" + r"ot/\w", "/wo" + r"rk/\w",
    ])
)  # fmt: skip


def committed(root: Path) -> list[Path]:
    """Return the files git knows or is about to know; skips the test outside a checkout."""
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    try:
        listed = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [root / name for name in listed.split("\0") if name and (root / name).is_file()]


def addresses(files: list[Path]) -> list[str]:
    found = []
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.name}:{n}: {line.strip()[:100]}"
            for n, line in enumerate(lines, 1)
            if FORBIDDEN.search(line)
        ]
    return found


def test_no_committed_file_holds_a_registry_address_or_a_path_of_one_machine() -> None:
    assert addresses(committed(PROJECT)) == []


def test_an_address_or_a_path_would_be_noticed(tmp_path: Path) -> None:
    planted = tmp_path / "notes.md"
    planted.write_text("fine\nsee /ho" + "me/ann/x\npip --index" + "-url=https://mirror\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")
    assert [line.split(":")[1] for line in addresses([planted, tmp_path / "picture.png"])] == ["2", "3"]


def locked(lock: str) -> dict[str, str]:
    """Return what is pinned, by name; the value is the whole entry with its hashes."""
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", lock, flags=re.MULTILINE))
    return {entry.split("==")[0]: entry for entry in entries if entry.strip()}


def unsound(lock: str) -> list[str]:
    """Return the entries without a pinned version or a hash, or with an address."""
    sound = re.compile(
        r"[a-z0-9][a-z0-9._-]*==\S+( ; [^\n\\]+)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+"
    )
    return [
        name for name, entry in locked(lock).items()
        if not sound.match(entry + "\n") or "://" in entry or " @ " in entry
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["run", "dev"])
def test_every_locked_package_has_a_hash_and_no_address(name: str) -> None:
    lock = (PROJECT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert len(locked(lock)) > 50
    assert unsound(lock) == []


def test_a_lock_without_hash_or_with_an_address_would_be_noticed() -> None:
    good = "\nx==1 ; os_name == 'y' \\\n    --hash=sha256:" + "a" * 64 + "\n    # via y\n"
    assert unsound(good) == []
    assert unsound(good + "z==1\nsecond @ https://x/y.whl \\\n    --hash=sha256:" + "a" * 64 + "\n") != []
    assert unsound("z==1\n") == ["z"]


def test_the_locks_hold_every_dependency_in_a_version_that_fits() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    wanted = {"run": [*project["project"]["dependencies"], *groups["build"]], "dev": groups["dev"]}
    for name, requirements in wanted.items():
        lock = locked((PROJECT / "requirements" / f"{name}.txt").read_text(encoding="utf-8"))
        for requirement in map(Requirement, requirements):
            entry = lock[canonicalize_name(requirement.name)]
            version = entry.split("==")[1].split()[0]
            assert requirement.specifier.contains(version), f"{requirement} is locked as {version}: make lock"


def test_what_runs_is_tested_in_the_same_versions() -> None:
    run, dev = (
        (PROJECT / "requirements" / f"{name}.txt").read_text(encoding="utf-8") for name in ("run", "dev")
    )
    pins = re.compile(r"^([a-z0-9._-]+==\S+)", re.MULTILINE)
    assert set(pins.findall(run)) - set(pins.findall(dev)) == set()


def test_the_license_is_the_whole_apache_2_0() -> None:
    text = (PROJECT / "LICENSE").read_text(encoding="utf-8")
    assert text.split()[:4] == ["Apache", "License", "Version", "2.0,"]
    assert "END OF TERMS AND CONDITIONS" in text
    assert len(text) > 11_000


def lint_imports(root: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    env = {**os.environ, "PYTHONPATH": str(root / "src")}
    return subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)


def test_imports_only_go_down() -> None:
    done = lint_imports(PROJECT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("core/upward.py", "import sayso.messages", "Rooms are stacked"),
        ("utils/__init__.py", "", "not listed as layers"),
        ("simulator/friend.py", "import sayso.core", "The simulator is a stranger"),
        ("client/friend.py", "import sayso.core", "The client is a stranger"),
    ],
)
def test_an_import_that_goes_up_or_a_room_nobody_listed_would_be_noticed(
    tmp_path: Path, file: str, line: str, broken: str
) -> None:
    shutil.copytree(PROJECT / "src" / "sayso", tmp_path / "src" / "sayso")
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    planted = tmp_path / "src" / "sayso" / file
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(f'"""Planted."""\n\n{line}\n')
    done = lint_imports(tmp_path)
    assert done.returncode != 0
    assert broken.lower() in (done.stdout + done.stderr).lower(), done.stdout
