"""Who is told what: the apps subscribed to a WABA, their callbacks and overrides (cloud-api.md 4.1)."""

from collections.abc import Iterator
from typing import NamedTuple

from sayso.simulator.world.accounts import Accounts, BusinessNumber, Waba


class Callback(NamedTuple):
    """Where an app's webhooks go: its own callback, as it is when they go, or an override."""

    app_id: str
    override: str | None = None

    def url(self, accounts: Accounts) -> str:
        """Tell the URL now; an app that has since unsubscribed has none."""
        if self.override is not None:
            return self.override
        subscription = accounts.apps[self.app_id].subscription
        return "" if subscription is None else subscription.callback_url


def callbacks(
    accounts: Accounts, waba: Waba, number: BusinessNumber | None, field: str
) -> Iterator[Callback]:
    """Walk the callbacks that a change of ``field`` goes to: number's override > WABA's > the app's own.

    Overrides exist for the ``messages`` field and those that belong to a number or WABA alike; nothing arrives
    without ``POST /{waba-id}/subscribed_apps``.
    """
    for app_id, override in waba.subscribed.items():
        app = accounts.apps.get(app_id)
        if app is None or app.subscription is None or field not in app.subscription.fields:
            continue
        chosen = (number and number.override) or override
        yield Callback(app_id, chosen.callback_url if chosen else None)
