"""What runs in this folder: a service leaves a note of it, and commands typed beside it find it there."""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final, Self

import structlog
import typer
from pydantic import SecretStr

from sayso.core.errors import SettingError
from sayso.core.settings import Settings

log = structlog.get_logger("sayso.serve")

ENV_FILE: Final = Path(".env")
#: As the option of a command.
EnvFile = Annotated[Path, typer.Option(help="Where settings are read from.")]
_PREFIX: Final = ".sayso-running-"
_UNFINISHED: Final = ".sayso-starting-"
#: Whoever sets one of these means an installation of their own.
_MEANT: Final = ("WHATSAPP_", "SAYSO_DATA_DIR", "DATABASE_URL")
#: What a command reads itself: whoever names others beside it means those.
_READ_HERE: Final = ("sayso_templates_dir", "sayso_policy_file", "sayso_actions_dir")
#: Secrets without which another installation would be looked at, or another key used.
_NEEDED: Final = ("database_url", "sayso_consent_key")


@dataclass(frozen=True, slots=True)
class Note:
    """A service that runs: ``given`` are its settings without any secret, ``needed`` the secrets it has of _NEEDED."""

    pid: int
    env_file: Path
    given: dict[str, Any]
    needed: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """What is to be written down of a service with these settings."""
        values = {name: getattr(settings, name) for name in settings.model_fields_set}
        values |= {name: Path(value).absolute() for name, value in values.items() if isinstance(value, Path)}
        values["sayso_data_dir"] = settings.sayso_data_dir.absolute()
        values["sayso_templates_dir"] = settings.sayso_templates_dir.absolute()
        return cls(
            os.getpid(),
            (settings.read_from or Path(os.devnull)).absolute(),
            {name: value for name, value in values.items() if not isinstance(value, SecretStr)},
            tuple(name for name in _NEEDED if getattr(settings, name) is not None),
        )

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a note; raises ValueError for what is none."""
        try:
            told = json.loads(text)
            return cls(int(told["pid"]), Path(told["env_file"]), dict(told["given"]), tuple(told["needed"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a note: {error!r}") from error

    def written(self) -> str:
        """As it stands in the file."""
        told = {
            "pid": self.pid,
            "env_file": self.env_file,
            "given": dict(sorted(self.given.items())),
            "needed": self.needed,
        }
        return json.dumps(told, indent=1, default=str) + "\n"

    def beside(self, environment: Mapping[str, str]) -> Self:
        """As a command takes it that has this environment."""
        named = {name.lower() for name, value in environment.items() if value}
        others = named.intersection(_READ_HERE)
        return replace(self, given={name: value for name, value in self.given.items() if name not in others})

    @property
    def data_dir(self) -> Path:
        """Its data directory, as short as it can be named from here."""
        path = Path(self.given["sayso_data_dir"])
        return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path

    def __str__(self) -> str:
        return f"the service that runs here (process {self.pid}, data in {self.data_dir})"


@contextlib.contextmanager
def noted(settings: Settings) -> Iterator[None]:
    """While this lasts, the working directory has a note of this service: readable by its account alone.

    It is locked for as long as the process lives, in whatever way that ends, so that one left behind is known as such.
    Where the directory cannot be written the service does without.
    """
    try:
        handle, path = _left(Note.of(settings))
    except OSError as error:
        log.info("serve.not_noted", error=str(error))
        yield
        return
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _left(note: Note) -> tuple[int, Path]:
    """Write a note, locked before anybody can see it."""
    handle, draft = tempfile.mkstemp(prefix=_UNFINISHED, suffix=".json", dir=Path.cwd())  # mode 0600
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.write(handle, note.written().encode())
        path = Path(draft)
        return handle, path.rename(path.with_name(path.name.replace(_UNFINISHED, _PREFIX)))
    except OSError:
        Path(draft).unlink(missing_ok=True)
        os.close(handle)
        raise


def found() -> list[Note]:
    """The services that run in this folder. Notes left behind are removed."""
    return [note for path in sorted(Path.cwd().glob(f"{_PREFIX}*.json")) if (note := _living(path))]


def _living(path: Path) -> Note | None:
    try:
        with path.open(encoding="utf-8") as file:
            about = os.fstat(file.fileno())
            if os.getuid() not in (0, about.st_uid):
                return None  # somebody else's word about where our data is
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return Note.read(file.read())
            path.unlink(missing_ok=True)
    except (OSError, ValueError):
        pass
    return None


def chosen(env_file: Path) -> Note | None:
    """The service that a command means which names none: the one that runs here, if nothing else is set.

    Raises :class:`SettingError` when several run here, with data of their own.
    """
    if (
        env_file != ENV_FILE
        or env_file.exists()
        or any(_means(name) for name, set_ in os.environ.items() if set_)
    ):
        return None
    by_place = {(note.env_file, note.data_dir, note.needed): note for note in found()}
    if len(by_place) > 1:
        raise SettingError(
            f"More than one service runs here. Say which one is meant: {choices(by_place.values())}."
        )
    return next((note.beside(os.environ) for note in by_place.values()), None)


def choices(notes: Iterable[Note]) -> str:
    """How each of these can be meant, by name."""
    named = {
        f"SAYSO_DATA_DIR={note.data_dir}"
        if note.env_file == Path(os.devnull)
        else f"--env-file {note.env_file}"
        for note in notes
    }
    return ", or ".join(sorted(named))


def _means(name: str) -> bool:
    return name.upper().startswith(_MEANT)
