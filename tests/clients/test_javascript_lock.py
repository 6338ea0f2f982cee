"""The JavaScript clients are pinned, each by a digest, and come from wherever npm is told to look."""

import json
from typing import Any

from clients.javascript_business import HERE


def locked() -> dict[str, Any]:
    """Return the packages of the lock by their place, without the project itself."""
    lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))
    return {place: package for place, package in lock["packages"].items() if place}


def test_every_locked_package_has_a_digest_and_no_address() -> None:
    assert len(locked()) >= 3
    for place, package in locked().items():
        assert package["integrity"].startswith("sha512-"), place
        assert "resolved" not in package, place


def test_what_is_asked_for_is_what_is_locked_and_installed() -> None:
    wanted = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    for name, version in wanted.items():
        assert locked()[f"node_modules/{name}"]["version"] == version
        installed = json.loads((HERE / "node_modules" / name / "package.json").read_text(encoding="utf-8"))
        assert installed["version"] == version
