"""A receipt is verified in a clean environment, without the server: by the client alone, and without Sayso at all."""

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from harness import proof
from harness.decisions import ACTION
from harness.proof import AT, Made
from sayso.core import keys
from sayso.core.settings import TokenSettings

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "receipts.md").read_text(encoding="utf-8")
_PREPARED = """
import json
from pathlib import Path
given = json.loads(Path("given.json").read_text())
receipt, jwks, action, beside = given["receipt"], given["jwks"], given["action"], given["beside"]
"""
_CLIENT = """
from sayso.client import verify
verdict = verify.check(verify.read(json.dumps(beside)), jwks, action=action, audience="bot")
assert verdict.proven, verdict.reasons
receipt, used = verify.Receipt(receipt), set()
remember = lambda confirmation_id: confirmation_id not in used and not used.add(confirmation_id)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("keys")
    return proof.receipt(keys.load(TokenSettings(sayso_data_dir=folder), now=lambda: AT))


def needed(*names: str) -> dict[str, Distribution]:
    """These packages and whatever they need, as installed here."""
    found: dict[str, Distribution] = {}
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = distribution(name)
            wanted = map(Requirement, found[name].requires or [])
            todo += [each.name for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})]
    return found


def environment(folder: Path, *packages: str) -> Path:
    """A virtual environment with nothing in it but these packages; its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    [site] = folder.glob("lib/python*/site-packages")
    for package in needed(*packages).values():
        for top in {file.parts[0] for file in package.files or [] if file.parts[0] != ".."}:
            place = Path(str(package.locate_file(top)))
            if place.is_dir() and top != "__pycache__":
                shutil.copytree(place, site / top, dirs_exist_ok=True)
            elif place.is_file():
                shutil.copy(place, site / top)
    return folder / "bin" / "python"


def run(python: Path, folder: Path, program: str, made: Made) -> "subprocess.CompletedProcess[str]":
    given = {"receipt": made.jws, "jwks": made.jwks, "action": ACTION, "beside": made.beside}
    (folder / "given.json").write_text(json.dumps(given))
    (folder / "program.py").write_text(_PREPARED + program)
    return subprocess.run(
        [str(python), "-I", "program.py"], cwd=folder, capture_output=True, text=True, check=False
    )


def blocks() -> tuple[str, str]:
    """The page's two programs: with the client, and without Sayso; for the assistant of these tests."""
    found = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    first, second = (block.replace("my-assistant", "bot") for block in found)
    assert "may_execute" in first
    assert "sayso" not in second.replace("sayso-receipt+jwt", "")
    return first.replace("datetime.now(UTC)", f"datetime.fromisoformat({AT.isoformat()!r})"), second


def test_the_pages_program_without_sayso_verifies_where_there_is_no_sayso(made: Made, tmp_path: Path) -> None:
    python = environment(tmp_path / "clean", "joserfc", "rfc8785")
    absent = run(python, tmp_path, "import sayso", made)
    assert "No module named 'sayso'" in absent.stderr
    done = run(python, tmp_path, blocks()[1], made)
    assert done.returncode == 0, done.stderr
    forged = run(python, tmp_path, "receipt = receipt[:-8] + 'AAAAAAAA'\n" + blocks()[1], made)
    assert "BadSignatureError" in forged.stderr
    other = run(python, tmp_path, "action['action_details'] = 'at 4 PM'\n" + blocks()[1], made)
    assert "AssertionError" in other.stderr


def test_the_client_verifies_where_nothing_of_the_server_is(made: Made, tmp_path: Path) -> None:
    python = environment(tmp_path / "clean", "joserfc", "rfc8785", "httpx2")
    [site] = (tmp_path / "clean").glob("lib/python*/site-packages")
    shutil.copytree(PROJECT / "src" / "sayso" / "client", site / "sayso" / "client")
    shutil.copy(PROJECT / "src" / "sayso" / "__init__.py", site / "sayso")
    done = run(python, tmp_path, _CLIENT + blocks()[0], made)
    assert done.returncode == 0, done.stderr
    twice = run(python, tmp_path, _CLIENT + blocks()[0] + blocks()[0], made)
    assert "was used before" in twice.stderr
