"""What a command that looks into the database needs: the settings, PostgreSQL, a runtime. It makes no database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import typer
from pydantic import SecretStr

from sayso.cli import running
from sayso.cli.running import Note
from sayso.cli.saying import ourselves
from sayso.client.unreached import why
from sayso.core import embedded
from sayso.core.errors import DatabaseUnavailableError, SettingError
from sayso.core.redaction import redact_values
from sayso.core.runtime import Runtime
from sayso.core.settings import CONSENT_KEY_FILE, Settings, TokenSettings, load_settings, load_token_settings
from sayso.core.telemetry import configure_logging

T = TypeVar("T")


class Looking(Settings):
    """Settings of who looks: what only a word with Meta takes may be missing."""

    whatsapp_access_token: SecretStr = SecretStr("")
    whatsapp_phone_number_id: str = ""
    whatsapp_business_account_id: str = ""
    whatsapp_verify_token: SecretStr = SecretStr("")
    whatsapp_webhook_secret: SecretStr = SecretStr("")


def with_runtime(
    env_file: Path,
    work: Callable[[Runtime], Awaitable[T]],
    *,
    kind: type[Settings] = Looking,
    seals: bool = False,
) -> T:
    """Run ``work`` on the installation's database, beside a service that may be running; what it returns.

    ``seals``: it writes into the consent ledger, which takes the installation's own key. Raises :class:`SettingError`
    where there is no database, or no such key: only a service makes them.
    """
    configure_logging("ERROR", "console")  # what is of interest here is said in sentences
    settings = settings_for(env_file, kind)
    redact_values(*settings.secret_values())
    if settings.database_url is None and not embedded.exists(settings.sayso_data_dir):
        raise SettingError(_no_database(settings))
    if seals and not has_key(settings):
        raise SettingError(
            f"The key of the consent ledger is not here: neither SAYSO_CONSENT_KEY nor {_key_file(settings)}. "
            "Give the key that the service has; with another one the ledger would not verify any more."
        )

    async def run() -> T:
        async with _opened(settings) as rt:
            return await work(rt)

    return asyncio.run(run())


def settings_for(env_file: Path, kind: type[Settings] = Looking) -> Settings:
    """The settings given, or those of the service that runs here when none are; then it is said whose they are."""
    note = running.chosen(env_file)
    if note is None:
        return load_settings(env_file, kind=kind)
    settings = load_settings(note.env_file, kind=kind, given=note.given)
    missing = [name.upper() for name in note.needed if getattr(settings, name) is None]
    if missing:
        raise SettingError(
            f"What {note} has of {' and '.join(missing)} came by its environment and is written down nowhere: "
            "set it here, too."
        )
    _say(note)
    return settings


def token_settings(env_file: Path, *, say: bool = True) -> TokenSettings:
    """Folders and keys of the installation given, or of the service that runs here when none is; ``say`` which."""
    note = running.chosen(env_file)
    if note is None:
        return load_token_settings(env_file)
    if say:
        _say(note)
    return load_token_settings(note.env_file, given=note.given)


def has_key(settings: TokenSettings) -> bool:
    """Whether the consent ledger's key is here."""
    return settings.sayso_consent_key is not None or _key_file(settings).exists()


def _key_file(settings: TokenSettings) -> Path:
    return settings.sayso_data_dir / CONSENT_KEY_FILE


def _say(note: Note) -> None:
    typer.echo(f"sayso: speaking to {note}.", err=True)


@contextlib.asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Runtime]:
    from sayso.app import postgres  # noqa: PLC0415 - a second to load, which other commands need not spend
    from sayso.core.database import UNAVAILABLE, Database  # noqa: PLC0415
    from sayso.core.migrate import check  # noqa: PLC0415

    try:
        async with postgres(settings) as dsn:
            db = await Database.connect(dsn, size=2)
            try:
                async with db.one() as tx:
                    await check(tx)
                rt = Runtime(settings, db)
                try:
                    yield rt
                finally:
                    await rt.wakes.pass_on(db)
            finally:
                await db.close()
    except BrokenPipeError:
        raise  # nobody reads any more what is printed
    except (DatabaseUnavailableError, *UNAVAILABLE) as error:
        raise DatabaseUnavailableError(_away(settings, error)) from error


def _no_database(settings: Settings) -> str:
    notes = running.found()
    said = f"There is no database in {settings.sayso_data_dir.absolute()}: no service has run with it yet. "
    demo = settings.sayso_data_dir / "demo" / "demo.env"
    if notes:
        return f"{said}One runs here with other settings; to look at that: {running.choices(notes)}."
    if demo.exists():
        return f"{said}To look at what `make demo` left: --env-file {demo}."
    return (
        f"{said}`{ourselves()} serve` or `make demo` makes one. Is it elsewhere? Set SAYSO_DATA_DIR or DATABASE_URL, "
        "or name the service's settings with --env-file."
    )


def _away(settings: Settings, error: Exception) -> str:
    where = "Is the server of DATABASE_URL up, and is the URL right?" if settings.database_url else (
        f"Its log is {settings.sayso_data_dir / 'postgres' / 'server.log'}."
    )  # fmt: skip
    return f"The database does not answer: {why(error.__cause__ or error)}. {where}"
