"""``sayso token``: a bearer token for an assistant or an operator."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from sayso.cli.running import ENV_FILE, EnvFile, chosen
from sayso.core.runtime import wall_clock
from sayso.core.settings import JWT_KEY_FILE, TokenSettings, jwt_secret, load_token_settings
from sayso.core.tokens import ASSISTANT_SCOPES, SCOPES, Tokens, check, parse_ttl


def token(
    user: Annotated[str, typer.Option(help="The assistant's user: becomes the token's `sub`.")],
    client: Annotated[str, typer.Option(help="The assistant: becomes the token's `client_id`.")],
    scope: Annotated[
        str, typer.Option(help=f"Scopes, separated by spaces. There are: {', '.join(SCOPES)}.")
    ] = " ".join(ASSISTANT_SCOPES),
    ttl: Annotated[
        str, typer.Option(help="How long it lives, give or take 30 s of clocks: 30m, 12h, 7d.")
    ] = "12h",
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Print a bearer token, signed with this installation's key."""
    lives, scopes = parse_ttl(ttl), tuple(scope.split())
    check(user=user, client=client, scopes=scopes, ttl=lives)  # before a key is made for it
    settings = settings_of(env_file)
    if not has_key(settings):
        typer.echo(
            f"sayso: no key was in {settings.sayso_data_dir.absolute()}, so a new one is made there; a service with "
            "another data directory will not take this token (see SAYSO_DATA_DIR).",
            err=True,
        )
    typer.echo(issue(settings, user=user, client=client, scopes=scopes, ttl=lives))


def settings_of(env_file: Path) -> TokenSettings:
    """Those given; where they lead to no key, those of the service that runs here, if they do."""
    settings = load_token_settings(env_file)
    if has_key(settings) or (note := chosen(env_file)) is None:
        return settings
    theirs = load_token_settings(note.env_file, given=note.given)
    return theirs if has_key(theirs) else settings


def has_key(settings: TokenSettings) -> bool:
    """Whether the key of bearer tokens is here; whoever asks for it otherwise makes one."""
    return settings.sayso_jwt_secret is not None or (settings.sayso_data_dir / JWT_KEY_FILE).exists()


def issue(
    settings: TokenSettings,
    *,
    user: str,
    client: str,
    ttl: timedelta,
    scopes: tuple[str, ...] = ASSISTANT_SCOPES,
) -> str:
    """A token of this installation's."""
    tokens = Tokens(jwt_secret(settings), settings.sayso_jwt_issuer, settings.sayso_jwt_audience)
    return tokens.issue(
        user=user, client=client, scopes=scopes, ttl=ttl, now=wall_clock(), token_id=uuid.uuid4().hex
    )
