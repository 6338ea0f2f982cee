"""Settings: from the environment or ``.env``, checked at once, explained in plain sentences.

A setting's attribute is its variable in lower case. The ``WHATSAPP_*`` names are those of the set-up guide;
``docs/settings.md`` has a row for each (a test keeps them equal).
"""

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from sayso.core import files
from sayso.core import setting_forms as forms
from sayso.core.errors import Fault, SettingError

#: Keys that are made in the data directory where none are given.
JWT_KEY_FILE: Final = "jwt-secret"
CONSENT_KEY_FILE: Final = "consent-key"
# Graph API versions past their end: Meta's version table, state of 22 November 2026.
EXPIRED_VERSIONS: Final = frozenset({"v17.0", "v18.0", "v19.0", "v20.0"})

_WHERE: Final = {
    "whatsapp_access_token": "Meta App Dashboard -> WhatsApp -> API Setup gives a temporary one, "
    "Business Settings -> System users a permanent one; with the simulator it is sim-token",
    "whatsapp_phone_number_id": "Meta App Dashboard -> WhatsApp -> API Setup shows it under the number; "
    "with the simulator it is 100000000000001",
    "whatsapp_business_account_id": "Meta App Dashboard -> WhatsApp -> API Setup shows it beside the "
    "phone number ID; with the simulator it is 200000000000001",
    "whatsapp_verify_token": "choose any random words and enter the same under Meta App Dashboard -> "
    "WhatsApp -> Configuration -> Webhook; with the simulator it is sim-verify",
    "whatsapp_webhook_secret": "it is the App Secret, Meta App Dashboard -> App settings -> Basic; without "
    "it anybody could forge answers; with the simulator it is sim-secret",
}

_WORDING: Final = {
    "int_parsing": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
}


def _log_format() -> Literal["console", "json"]:
    return "console" if sys.stderr.isatty() else "json"


Kind = TypeVar("Kind", bound=BaseSettings)
Secret = Annotated[SecretStr, Field(min_length=1), AfterValidator(forms.own_secret)]
Bearer = Annotated[SecretStr, Field(min_length=1), AfterValidator(forms.bearer)]
Digits = Annotated[str, AfterValidator(forms.digits)]
Level = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(forms.upper)]


class TokenSettings(BaseSettings):
    """What it takes to issue a bearer token. Made by ``load_token_settings``; frozen."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    sayso_data_dir: Path = Field(default=Path("data"), description="Embedded PostgreSQL and generated keys.")
    sayso_jwt_secret: Annotated[SecretStr, AfterValidator(forms.long_enough)] | None = Field(
        default=None, description="Key that signs bearer tokens (HS256), at least 32 bytes."
    )
    sayso_consent_key: Annotated[SecretStr, AfterValidator(forms.long_enough)] | None = Field(
        default=None, description="Key that seals the consent ledger, at least 32 bytes."
    )
    sayso_receipt_keys: Path | None = Field(
        default=None, description="File of the keys that sign receipts; made when it is not there."
    )
    sayso_receipt_issuer: Annotated[str, AfterValidator(forms.issuer)] = Field(
        default="sayso", description="Who signs: `iss` of receipts, and the name of the decision log."
    )
    sayso_templates_dir: Path = Field(
        default=Path("templates"), description="Folder of your template definitions, beside those we ship."
    )
    sayso_policy_file: Path | None = Field(
        default=None,
        description="File of the policy: how safely, by whom and how soon actions are confirmed.",
    )
    sayso_actions_dir: Path = Field(
        default=Path("actions"), description="Folder of your kinds of actions, beside those we ship."
    )
    sayso_jwt_issuer: str = Field(
        default="sayso", min_length=1, description="`iss` a bearer token must have."
    )
    sayso_jwt_audience: str = Field(default="sayso", min_length=1, description="`aud` a token must have.")


class Settings(TokenSettings):
    """Everything an operator can set. Made by ``load_settings``; frozen."""

    whatsapp_access_token: Bearer = Field(description="Token for calls to the Graph API.")
    whatsapp_phone_number_id: Digits = Field(description="ID of the business phone number that sends.")
    whatsapp_business_account_id: Digits = Field(description="ID of the WhatsApp Business Account (WABA).")
    whatsapp_verify_token: Secret = Field(description="What Meta repeats when it verifies the webhook URL.")
    whatsapp_webhook_secret: Secret = Field(description="The Meta app's secret; signs every webhook.")
    whatsapp_api_version: Annotated[str, AfterValidator(forms.version)] = Field(
        default="v25.0", description="Graph API version in every call."
    )
    whatsapp_base_url: Annotated[str, AfterValidator(forms.base_url)] = Field(
        default="https://graph.facebook.com",
        description="Where the Graph API is; the simulator's address to try without an account.",
    )

    sayso_more_senders: Annotated[str | None, AfterValidator(forms.ids)] = Field(
        default=None, description="IDs of further business phone numbers of the same account, with commas."
    )
    sayso_access_token_file: Path | None = Field(
        default=None, description="File that holds the Graph API token; read again when it changes."
    )

    sayso_host: str = Field(default="127.0.0.1", min_length=1, description="Address the service listens on.")
    sayso_port: int = Field(default=8000, ge=1, le=65535, description="TCP port the service listens on.")
    sayso_log_level: Level = Field(
        default="INFO", description="DEBUG shows every exchange with Meta, redacted."
    )
    sayso_log_format: Literal["console", "json"] = Field(
        default_factory=_log_format, description="Form of the log on stderr."
    )
    sayso_business_name: str = Field(
        default="AI Assistant", min_length=1, max_length=60, description="Who asks, in texts people read."
    )
    sayso_contact: str | None = Field(
        default=None, max_length=200, description="Whom people may ask, in the answer to HELP."
    )
    sayso_opt_in_template: str | None = Field(
        default=None, description="Template that asks for an opt-in outside the 24-hour window."
    )
    sayso_send_concurrency: int = Field(default=256, ge=1, le=1000, description="Parallel calls to Meta.")
    sayso_pair_rate: bool = Field(
        default=True, description="Keep to Meta's rate to one person before Meta has to say so."
    )
    sayso_templates_sync_minutes: int = Field(
        default=15, ge=1, le=1440, description="How often the mirror of templates is compared with Meta."
    )
    sayso_use_within_minutes: int = Field(
        default=15,
        ge=1,
        le=10080,
        description="How long after the decision a confirmed action may be claimed.",
    )
    sayso_endpoints_allow: str | None = Field(
        default=None, description="Hosts and networks that endpoints may be in besides public https ones."
    )
    sayso_endpoints_proxy: Annotated[str, AfterValidator(forms.base_url)] | None = Field(
        default=None, description="Proxy that every call of an endpoint goes through, and which checks it."
    )
    sayso_deliveries_days: int = Field(
        default=30, ge=7, le=3650, description="How long deliveries that have ended are kept."
    )
    sayso_database_pool: int = Field(default=16, ge=2, le=90, description="Connections to PostgreSQL.")
    database_url: Annotated[SecretStr, AfterValidator(forms.postgres_url)] | None = Field(
        default=None, description="A PostgreSQL server of yours (postgresql://…) instead of the embedded one."
    )

    _read_from: Path | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _token_of_file(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Take the access token from its file, when one is named: it counts before the variable."""
        file = given.get("sayso_access_token_file")
        return {**given, "whatsapp_access_token": SecretStr(_token(Path(file)))} if file else given

    @property
    def phone_number_ids(self) -> tuple[str, ...]:
        """Every business phone number that sends, the first one first."""
        more = self.sayso_more_senders.split(",") if self.sayso_more_senders else []
        return tuple(dict.fromkeys([self.whatsapp_phone_number_id, *more]))

    @property
    def read_from(self) -> Path | None:
        """The file that was read beside the environment; None for settings that were made in a program."""
        return self._read_from

    @property
    def token_source(self) -> Path | None:
        """The file from which a replaced access token can be read while the service runs; None when there is none."""
        return self.sayso_access_token_file or self._read_from

    @property
    def token_place(self) -> str:
        """Where the access token stands in this installation, and how another one is taken up; for an operator."""
        taken_up = "replaced there, it is taken up within a second, without a restart."
        if self.sayso_access_token_file is not None:
            return f"Here the token is read from {self.sayso_access_token_file.absolute()}; {taken_up}"
        named = (name for name, value in os.environ.items() if value)  # noqa: TID251 - this is where settings enter
        if self._read_from is None or "WHATSAPP_ACCESS_TOKEN" in map(str.upper, named):
            return "Here it came by the environment of the service: change it there, and restart the service."
        return f"Here it stands in {self._read_from.absolute()}; {taken_up}"

    def secret_values(self) -> list[str]:
        """Every secret given, for the log to recognise and leave out; of DATABASE_URL its password, too."""
        fields = (getattr(self, name) for name in type(self).model_fields)
        given = [field.get_secret_value() for field in fields if isinstance(field, SecretStr)]
        password = urlsplit(self.database_url.get_secret_value()).password if self.database_url else None
        return [*given, password] if password else given

    def warnings(self) -> list[str]:
        """Sentences about what works today but should be changed; for the log at start."""
        found = [
            f"{name.upper()} names {folder}, and there is no such folder: nothing of yours is read."
            for name in ("sayso_templates_dir", "sayso_actions_dir")
            if name in self.model_fields_set and not (folder := getattr(self, name)).is_dir()
        ]
        if self.whatsapp_api_version in EXPIRED_VERSIONS:
            found.append(
                f"WHATSAPP_API_VERSION {self.whatsapp_api_version} has expired; Meta silently serves the oldest "
                "version still living, so answers may change any day. Set it to v25.0 or newer."
            )
        return found


def load_settings(
    env_file: Path = Path(".env"),
    *,
    kind: type[Settings] = Settings,
    given: Mapping[str, Any] = MappingProxyType({}),
) -> Settings:
    """Read the environment, then ``env_file`` (the environment wins), and check everything; ``given`` counts first.

    Raises SettingError with one fault per missing or malformed setting.
    """
    settings = _load(kind, env_file, given)
    settings._read_from = env_file  # noqa: SLF001 - its own module
    return settings


def reread_token(settings: Settings) -> str:
    """The access token as it stands now, in its file or in the environment and the file of settings.

    Raises SettingError when what stands there is no token, or the file cannot be read.
    """
    if settings.sayso_access_token_file is not None:
        try:
            return forms.own_words(_token(settings.sayso_access_token_file))
        except ValueError as error:
            raise SettingError(f"SAYSO_ACCESS_TOKEN_FILE {error}.") from error
    if settings.token_source is None:
        return settings.whatsapp_access_token.get_secret_value()
    return load_settings(settings.token_source).whatsapp_access_token.get_secret_value()


def _token(path: Path) -> str:
    """The token that a file holds; raises ValueError when it cannot be read or is empty."""
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if not token:
        raise ValueError(f"{path} is empty")
    return token


def load_token_settings(
    env_file: Path = Path(".env"), *, given: Mapping[str, Any] = MappingProxyType({})
) -> TokenSettings:
    """Read only what a token takes, so that one can be made where nothing else is set. Raises SettingError."""
    return _load(TokenSettings, env_file, given)


def _load(kind: type[Kind], env_file: Path, given: Mapping[str, Any]) -> Kind:
    hint = ""
    try:
        return kind(_env_file=env_file, **given)
    except ValidationError as error:
        faults = [Fault(_sentence(problem), _named(problem).upper()) for problem in error.errors()]
        if sum(problem["type"] == "missing" for problem in error.errors()) > 1 and not env_file.exists():
            hint = (
                f"\nThere is no file {env_file}: copy .env.example to it; as it is, it is for the simulator."
            )
    except (OSError, UnicodeDecodeError) as error:
        faults = [Fault(f"{env_file} cannot be read: {error}.")]
    head = "A setting is" if len(faults) == 1 else f"{len(faults)} settings are"
    lines = [f"{head} missing or malformed (environment or {env_file}):", *(f.detail for f in faults)]
    raise SettingError("\n- ".join(lines) + hint, faults=faults)


def _named(problem: ErrorDetails) -> str:
    """The setting; the one check that is about two of them reads the token's file."""
    return str(problem["loc"][0]) if problem["loc"] else "sayso_access_token_file"


def _sentence(problem: ErrorDetails) -> str:
    name = _named(problem)
    where = _WHERE.get(name)
    if problem["type"] == "missing":
        return f"{name.upper()} is missing: {where or 'set it'}."
    wording = _WORDING.get(problem["type"])
    said = (
        wording.format(**problem.get("ctx", {})) if wording else problem["msg"].removeprefix("Value error, ")
    )
    return f"{name.upper()} {said}" + (f". {where[0].upper()}{where[1:]}." if where else ".")


def jwt_secret(settings: TokenSettings) -> bytes:
    """Return the key of our bearer tokens: the given one, else one generated once into the data directory.

    The file has mode 0600 and appears complete or not at all, so processes starting together agree.
    Raises SettingError when the file cannot be made, read, or is too short.
    """
    return _kept(
        settings,
        settings.sayso_jwt_secret,
        name="SAYSO_JWT_SECRET",
        file=JWT_KEY_FILE,
        what="bearer tokens",
        lost="tokens given out so far end",
    )


def consent_key(settings: TokenSettings) -> bytes:
    """Return the key that seals the consent ledger and stands for erased identifiers; made and kept as the above.

    Every machine that works on one database must have the same.
    """
    return _kept(
        settings,
        settings.sayso_consent_key,
        name="SAYSO_CONSENT_KEY",
        file=CONSENT_KEY_FILE,
        what="the consent ledger",
        lost="the ledger's seal and suppressions of erased people no longer hold",
    )


def _kept(
    settings: TokenSettings, given: SecretStr | None, *, name: str, file: str, what: str, lost: str
) -> bytes:
    if given is not None:
        return given.get_secret_value().encode()
    path = settings.sayso_data_dir / file
    try:
        if not path.exists():
            files.create(path, secrets.token_urlsafe(48))
        secret = path.read_bytes().strip()
    except OSError as error:
        raise SettingError(
            f"The key of {what}, {path}, cannot be made or read: {error.strerror}. "
            f"Make SAYSO_DATA_DIR writable for this account, or set {name}."
        ) from error
    if len(secret) < forms.SECRET_BYTES:
        raise SettingError(
            f"The key of {what} in {path} has fewer than {forms.SECRET_BYTES} bytes. "
            f"Remove the file to have a new one generated ({lost}), or set {name}."
        )
    return secret
