"""The policy's file: read, checked, each fault with its line; read again when it has changed."""

import hashlib
import tomllib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from sayso.confirmations.policy import NONE, Policy
from sayso.core.described_fields import fields_at
from sayso.core.errors import SettingError
from sayso.core.faults import of_validation
from sayso.core.files import stamp
from sayso.core.lines import line_in, line_of, standing
from sayso.core.settings import TokenSettings

log = structlog.get_logger("sayso.policy")

_LARGEST: Final = 500_000
#: How much of the file's SHA-256 a question and its receipt name, in hex digits.
_DIGEST: Final = 16


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a policy, as compilers write it."""

    file: str
    line: int
    detail: str

    def __str__(self) -> str:
        """``policy.toml:12: action.payment.tier: must be …``."""
        return standing(self.file, self.line, self.detail)


_read_before: dict[Path, tuple[tuple[int, int, int], Policy]] = {}


def load(settings: TokenSettings) -> Policy:
    """The policy in force; one without demands where no file is named.

    A file that was good when it was first read, and is not any more, leaves the last good one in force: the log says
    so. Raises :class:`SettingError` where there is no good one.
    """
    path = settings.sayso_policy_file
    if path is None:
        return NONE
    known = _read_before.get(path)
    try:
        seen = stamp(path)
        if known is not None and known[0] == seen:
            return known[1]
        policy, findings = read(path)
    except OSError as error:
        policy, findings, seen = None, [Finding(str(path), 0, f"cannot be read: {error}")], (0, 0, 0)
    if policy is not None:
        _read_before[path] = (seen, policy)
        return policy
    said = "\n- ".join(["SAYSO_POLICY_FILE holds no policy:", *map(str, findings)])
    if known is None:
        raise SettingError(said)
    _read_before[path] = (seen, known[1])
    log.error("policy.not_taken", in_force=known[1].stamp, findings=[str(each) for each in findings])
    return known[1]


def look(settings: TokenSettings) -> None:
    """Let the log say at the start what is wrong with the policy: what nobody is asked about goes on without one."""
    try:
        load(settings)
    except SettingError as error:
        log.error("policy.wrong", detail=error.detail)  # noqa: TRY400 - where it was found says nothing


def read(path: Path) -> tuple[Policy | None, list[Finding]]:
    """A policy's file: the policy, or what is wrong with it. Raises OSError."""
    raw = path.read_bytes()
    if len(raw) > _LARGEST:
        return None, [Finding(str(path), 0, f"has more than {_LARGEST:,} bytes")]
    try:
        text = raw.decode()
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        line = line_in(str(error), raw.decode(errors="replace"))
        return None, [Finding(str(path), line, f"not TOML: {error}")]
    if "digest" in data:
        return None, [Finding(str(path), line_of(text, ("digest",)), "digest: is not a key of a policy")]
    try:
        policy = Policy.model_validate({**data, "digest": hashlib.sha256(raw).hexdigest()[:_DIGEST]})
    except ValidationError as error:
        return None, _findings(str(path), text, error)
    return policy, []


def _findings(file: str, text: str, error: ValidationError) -> list[Finding]:
    found = []
    for fault in of_validation(error.errors(), fields=partial(fields_at, Policy)):
        steps = [step.replace("~1", "/").replace("~0", "~") for step in fault.pointer.split("/")[1:]]
        place = [int(step) if step.isdigit() else step for step in steps]
        detail = fault.detail.replace("is not a field of this request", "is not a key of a policy")
        named = f"{'.'.join(steps)}: " if steps else ""
        found.append(Finding(file, line_of(text, tuple(place)), f"{named}{detail}"))
    return sorted(found, key=lambda each: (each.line, each.detail))
