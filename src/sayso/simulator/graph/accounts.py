"""Everything the API does with accounts, tokens and media, put together (cloud-api.md 1.3, 4.1, 8)."""

from sayso.simulator.accounts.announcements import Announcements
from sayso.simulator.call import Route
from sayso.simulator.graph.analytics import Analytics
from sayso.simulator.graph.apps import AppCalls
from sayso.simulator.graph.blocks import BlockCalls
from sayso.simulator.graph.contact_book import ContactBookCalls
from sayso.simulator.graph.media import MediaCalls
from sayso.simulator.graph.numbers import NumberCalls
from sayso.simulator.graph.oauth import OauthCalls
from sayso.simulator.graph.profile import ProfileCalls
from sayso.simulator.graph.settings import SettingsCalls
from sayso.simulator.graph.uploads import Uploads
from sayso.simulator.graph.usernames import UsernameCalls
from sayso.simulator.graph.verification import Verification
from sayso.simulator.graph.wabas import WabaCalls
from sayso.simulator.live import Live
from sayso.simulator.webhooks.deliverer import Deliverer
from sayso.simulator.world.world import World


def account_routes(
    world: World, announcements: Announcements, deliverer: Deliverer, live: Live
) -> list[Route]:
    """List what is answered about accounts, tokens and media."""
    verification, analytics = Verification(deliverer), Analytics(world)
    return [
        *NumberCalls(world, announcements, verification, live).routes(),
        *ProfileCalls(world).routes(),
        *SettingsCalls(world).routes(),
        *UsernameCalls(world, announcements, live).routes(),
        *BlockCalls(world).routes(),
        *ContactBookCalls(world).routes(),
        *WabaCalls(world, analytics, verification, live).routes(),
        *analytics.routes(),
        *AppCalls(world, verification, live).routes(),
        *OauthCalls(world, live).routes(),
        *MediaCalls(world).routes(),
        *Uploads(world).routes(),
    ]
