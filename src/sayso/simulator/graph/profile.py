"""The business profile of a number: read and written within its limits (cloud-api.md 2.8, 8.1)."""

import re
from typing import Any

from aiohttp import web

from sayso.simulator.call import Call, Route, answer, check_product, listed, success
from sayso.simulator.errors import GraphError
from sayso.simulator.fields import is_address
from sayso.simulator.graph.selection import ABSENT, Reader, select
from sayso.simulator.world.accounts import MANAGEMENT, BusinessNumber
from sayso.simulator.world.media import upload_of
from sayso.simulator.world.world import World

TYPE = "WhatsAppBusinessProfile"
DEFAULT = "about,address,description,email,profile_picture_url,websites,vertical"
#: Most characters of a text (2.8). Of the description guides say 512, the OpenAPI file 256 (10, row 12).
LIMITS = {"about": 139, "address": 256, "description": 512, "email": 128}
WEBSITES_AT_MOST, WEBSITE_AT_MOST = 2, 256
VERTICALS = (
    "UNDEFINED",
    "OTHER",
    "AUTO",
    "BEAUTY",
    "APPAREL",
    "EDU",
    "ENTERTAIN",
    "EVENT_PLAN",
    "FINANCE",
    "GROCERY",
    "GOVT",
    "HOTEL",
    "HEALTH",
    "NONPROFIT",
    "PROF_SERVICES",
    "RETAIL",
    "TRAVEL",
    "RESTAURANT",
    "NOT_A_BIZ",
)
_PICTURE = "whatsapp_business/profile_pictures"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class ProfileCalls:
    """The profile of a number, and its picture."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """List what is answered here. A picture's URL is public, as Meta's are."""
        edge, name = "whatsapp_business_profile", "whatsapp_business_profile"
        return [
            Route("GET", "number", edge, name, MANAGEMENT, self._read),
            Route("POST", "number", edge, name, MANAGEMENT, self._write),
            Route("GET", "root", _PICTURE, name, None, self._picture, open=True),
        ]

    async def _read(self, call: Call) -> web.Response:
        """Tell the profile, in the flat form of the wire (10, row 11); what is not set is left out."""
        profile = self._number(call).profile
        readers: dict[str, Reader] = {
            name: lambda field: profile.get(field.name, ABSENT) for name in (*LIMITS, "websites", "vertical")
        }
        readers["profile_picture_url"] = lambda _: self._picture_url(call)
        readers["messaging_product"] = lambda _: "whatsapp"
        told = {"vertical": profile.get("vertical", "UNDEFINED")} | select(
            TYPE, readers, call.query.get("fields"), DEFAULT
        )
        return answer({"data": [{**told, "messaging_product": "whatsapp"}]})

    async def _write(self, call: Call) -> web.Response:
        """Change what is given; an empty text takes it away, except ``about``, which cannot be empty."""
        given = await call.given()
        check_product(given)
        del given["messaging_product"]
        changed = {name: self._read_value(name, value) for name, value in given.items() if value is not None}
        profile = self._number(call).profile
        profile.update(changed)
        for name in [key for key, value in profile.items() if not value]:
            del profile[name]
        return success()

    def _read_value(self, name: str, value: Any) -> Any:
        match name:
            case "websites":
                return _websites(value)
            case "vertical":
                vertical = str(value).upper()
                if vertical not in ("", *VERTICALS):
                    raise GraphError(100, f"Param vertical must be one of {', '.join(VERTICALS)}.")
                return vertical
            case "profile_picture_handle":
                if upload_of(self._world, str(value)) is None:
                    raise GraphError(100, "Param profile_picture_handle is no handle of a completed upload.")
                return value
        if name not in LIMITS:
            raise GraphError(100, f'Unexpected key "{name}" on the business profile.')
        return _text(name, value)

    def _picture_url(self, call: Call) -> Any:
        handle = self._number(call).profile.get("profile_picture_handle", "")
        if upload_of(self._world, handle) is None:
            return ABSENT
        return f"{call.base_url}/{_PICTURE}?id={call.node}"

    async def _picture(self, call: Call) -> web.Response:
        number = self._world.accounts.numbers.get(call.query.get("id", ""))
        upload = number and upload_of(self._world, number.profile.get("profile_picture_handle", ""))
        if not upload:
            raise GraphError(803, "There is no profile picture at this URL.")
        return web.Response(body=upload.data, content_type=upload.mime_type)

    def _number(self, call: Call) -> BusinessNumber:
        return self._world.accounts.numbers[call.node]


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise GraphError(100, f"Param {name} must be a string.")
    if len(value) > LIMITS[name]:
        raise GraphError(
            100, f"Param {name} must be at most {LIMITS[name]} characters long; it has {len(value)}."
        )
    if name == "about" and not value.strip():
        raise GraphError(100, "Param about must not be empty.")
    if name == "email" and value and not _EMAIL.fullmatch(value):
        raise GraphError(100, f"Param email must be an e-mail address; it is {value!r}.")
    return value


def _websites(value: Any) -> list[str]:
    sites = listed(value, "websites")
    if len(sites) > WEBSITES_AT_MOST:
        raise GraphError(
            100, f"Param websites must have at most {WEBSITES_AT_MOST} entries; it has {len(sites)}."
        )
    for site in sites:
        if not isinstance(site, str) or not is_address(site):
            raise GraphError(
                100, f"Param websites: {site!r} is not a URL that begins with http:// or https://."
            )
        if len(site) > WEBSITE_AT_MOST:
            raise GraphError(100, f"Param websites: a URL must be at most {WEBSITE_AT_MOST} characters long.")
    return sites
