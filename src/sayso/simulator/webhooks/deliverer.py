"""Webhooks on their way: signed, posted in parallel, retried until HTTP 200, sent again (cloud-api.md 4.3, 4.5)."""

import asyncio
import itertools
import logging
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

import msgspec

from sayso.simulator.faults.faults import Faults
from sayso.simulator.faults.matching import Aim
from sayso.simulator.faults.model import WEBHOOKS
from sayso.simulator.live import Live
from sayso.simulator.webhooks.batches import Batcher
from sayso.simulator.webhooks.chaos import Mischief, Shuffler, mischief
from sayso.simulator.webhooks.delivery import Attempt, Delivery, State
from sayso.simulator.webhooks.envelopes import escaped
from sayso.simulator.webhooks.handshake import verify
from sayso.simulator.webhooks.injection import injected
from sayso.simulator.webhooks.log import WebhookLog
from sayso.simulator.webhooks.poster import OK, Poster
from sayso.simulator.webhooks.signatures import headers
from sayso.simulator.webhooks.subscribers import Callback, callbacks
from sayso.simulator.webhooks.trouble import Trouble
from sayso.simulator.webhooks.updates import Update, payload
from sayso.simulator.world.clock import Timer
from sayso.simulator.world.world import World

log = logging.getLogger("sayso.simulator.webhooks")

KEPT_UP_FOR_S = 7 * 24 * 3600  # 4.5: seven days, here simulated ones, then dropped
_NOTHING = Mischief()


class Deliverer:
    """Delivers to every callback; deliveries go in parallel and never wait for one another."""

    def __init__(self, world: World, live: Live, faults: Faults) -> None:
        self._world = world
        self._config = world.config
        self._clock = world.clock
        self._live = live
        self._faults = faults
        self._numbers = itertools.count(1)
        self._poster = Poster(world.config.webhook_timeout_ms)
        self._batcher = Batcher(world.config, world.clock, self._send)
        self._shuffler = Shuffler(world.clock, self._release)
        self._trouble = Trouble()
        self._open: dict[int, Delivery] = {}  # pending or held, whether or not the log still has them
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: dict[int, Timer] = {}
        self._overflowing = False
        self.log = WebhookLog(world.config.keep_webhooks)
        self.held: list[Delivery] = []
        self.hold_statuses = False
        #: Called with the id of an inbound message once its webhook was answered with 200.
        self.on_acknowledged: Callable[[str], None] = lambda _: None

    # --- coming and going -------------------------------------------------------------------------------

    async def open(self) -> None:
        """Get ready to call."""
        await self._poster.open()

    async def close(self) -> None:
        """Give up what is still pending and close every connection."""
        await self.quiet()
        await self._poster.close()

    async def quiet(self) -> None:
        """Give up what is pending, and wait until nothing is at work for it any more."""
        tasks = list(self._tasks)
        self._give_up()
        await asyncio.gather(*tasks, return_exceptions=True)

    def reset(self) -> None:
        """Forget the log, what is held and what is pending, all in one step; see :meth:`quiet`."""
        self._give_up()
        self.log.clear()
        self.held.clear()
        self._open.clear()
        self._trouble.clear()
        self.hold_statuses = False

    async def verify(self, url: str, token: str) -> str:
        """Shake hands with a callback (4.2): ``verified``, or why not in words."""
        return await verify(self._poster.session, url, token)

    @property
    def poster(self) -> Poster:
        """The client that calls the business."""
        return self._poster

    @property
    def pending(self) -> int:
        """How many webhooks are on their way, being put together, or waiting for a retry."""
        return len(self._tasks) + len(self._timers) + self._batcher.waiting + self._shuffler.waiting

    # --- new webhooks -----------------------------------------------------------------------------------

    def post(self, callback: Callback, update: Update) -> None:
        """Send an update off to one callback, alone or joined with others, as faults allow."""
        struck = self._faults.of_webhook(*_aim(callback, update)) if self._faults.about_webhooks else []
        if struck:
            self._send_struck(callback, update, mischief(struck))
        elif update.kind == "status" and self.hold_statuses:
            self._hold(self._composed(callback, [update]))
        else:
            self._batcher.add(callback, update)

    def _send(self, callback: Callback, updates: list[Update]) -> None:
        self._send_off(self._composed(callback, updates))

    def _send_struck(self, callback: Callback, update: Update, what: Mischief) -> None:
        """Send one update on its own, with all that faults make of it."""
        first = self._composed(callback, [update], what)
        if what.lost:
            first.state = "lost"
            return
        if update.kind == "status" and self.hold_statuses:
            self._hold(first)
            return
        for delivery in (first, *(self._copy(first, callback) for _ in range(what.copies - 1))):
            if not self._has_room(delivery):
                continue
            if what.shuffled is not None:
                self._shuffler.add(what.shuffled, delivery)
            elif what.delay_s:
                self._try_at(self._clock.now() + what.delay_s, delivery)
            else:
                self._try(delivery)

    def _composed(self, callback: Callback, updates: list[Update], what: Mischief = _NOTHING) -> Delivery:
        found = payload(updates)
        body = escaped(injected(found, what.what) if what.what else found)
        delivery = Delivery(
            id=next(self._numbers),
            callback=callback,
            told=tuple(each.told for each in updates),
            body=body,
            headers=headers(self._world.accounts.apps[callback.app_id].secret, body, what.how),
            created_at=self._clock.now(),
            pause_s=self._config.retry_first_ms / 1000,
            acknowledged=tuple(each.acknowledged for each in updates if each.acknowledged),
            faults=what.names,
        )
        self._log(delivery)
        return delivery

    def _copy(self, of: Delivery, callback: Callback, *, once: bool = False) -> Delivery:
        """Make another webhook of the same bytes, signed for the app it goes to."""
        mine = of.headers
        if callback.app_id != of.callback.app_id:
            mine = headers(self._world.accounts.apps[callback.app_id].secret, of.body)
        copied = Delivery(
            id=next(self._numbers),
            callback=callback,
            told=of.told,
            body=of.body,
            headers=mine,
            created_at=self._clock.now(),
            pause_s=self._config.retry_first_ms / 1000,
            faults=of.faults,
            copy_of=of.id,
            once=once,
        )
        self._log(copied)
        return copied

    # --- holding, retrying, sending again -----------------------------------------------------------------

    def hold(self, *, on: bool) -> int:
        """Hold status webhooks back, or release them in their order; return how many were released."""
        self.hold_statuses = on
        if on:
            return 0
        released, self.held = self.held, []
        for delivery in released:
            delivery.state = "pending"
        self._release(released)
        return len(released)

    def retry_now(self) -> int:
        """Make every retry that is waiting for its time now; return how many."""
        waiting = [self._open[number] for number in self._timers if self._open[number].attempt_count]
        for delivery in waiting:
            self._timers.pop(delivery.id).cancel()
            delivery.next_due = None
            self._try(delivery)
        return len(waiting)

    def release_gathered(self) -> None:
        """Send what faults gathered, in its own order, as when they are cleared."""
        self._release(self._shuffler.clear())

    async def redeliver(self, delivery: Delivery, copies: int) -> list[int | None]:
        """Post the same bytes again, ``copies`` times in parallel, once each; return the status codes."""
        attempts = await asyncio.gather(*(self._attempt(delivery) for _ in range(copies)))
        return [attempt.status_code for attempt in attempts]

    def described(self, delivery: Delivery, *, body: bool = True) -> dict[str, Any]:
        """Describe a webhook as the log does."""
        return delivery.logged(delivery.callback.url(self._world.accounts), body=body)

    # --- snapshots ----------------------------------------------------------------------------------------

    def saved(self) -> dict[str, Any]:
        """Everything as plain data, for a snapshot; what was on its way is pending in it."""
        kept = {each.id: each for each in self.log} | self._open
        return {
            "hold": self.hold_statuses,
            "deliveries": [kept[number].saved() for number in sorted(kept)],
            "gathered": self._shuffler.saved(),
            "waiting": self._batcher.saved(),
        }

    def restored(self, raw: dict[str, Any]) -> None:
        """Take back what :meth:`saved` gave, and set what is pending going again."""
        gathered = {number for each in raw["gathered"] for number in each["deliveries"]}
        for each in raw["deliveries"]:
            delivery = Delivery.restored(each)
            if delivery.callback.app_id not in self._world.accounts.apps:
                raise ValueError(
                    f"webhook {delivery.id} is for the app {delivery.callback.app_id!r}, which is not there"
                )
            self.log.add(delivery)
            if delivery.state in ("held", "pending"):
                self._open[delivery.id] = delivery
            if delivery.state == "held":
                self.held.append(delivery)
            elif delivery.state == "pending" and delivery.id not in gathered:
                self._try_at(delivery.next_due or self._clock.now(), delivery)
            self._numbers = itertools.count(delivery.id + 1)
        self.hold_statuses = msgspec.convert(raw["hold"], bool)
        self._shuffler.restored(raw["gathered"], self._open)
        self._batcher.restored(raw["waiting"])

    # --- on the wire --------------------------------------------------------------------------------------

    def _log(self, delivery: Delivery) -> None:
        """Log a webhook, and let watchers know."""
        self.log.add(delivery)
        self._live.publish("webhooks", dict)

    def _hold(self, delivery: Delivery) -> None:
        if self._has_room(delivery):
            delivery.state = "held"
            self.held.append(delivery)

    def _send_off(self, delivery: Delivery) -> None:
        if self._has_room(delivery):
            self._try(delivery)

    def _has_room(self, delivery: Delivery) -> bool:
        """Take a webhook among those pending or held; beyond the bound it is dropped, and never one that is in."""
        if len(self._open) >= self._config.keep_pending_webhooks:
            delivery.state = "dropped"
            if not self._overflowing:
                log.warning("webhooks are dropped: %d are pending already", len(self._open))
            self._overflowing = True
            return False
        self._overflowing = False
        self._open[delivery.id] = delivery
        return True

    def _release(self, deliveries: list[Delivery]) -> None:
        """Post those of each callback one after the other, so that their order holds on the wire."""

        async def in_turn(mine: list[Delivery]) -> None:
            for delivery in mine:
                await self._deliver(delivery, self._clock.now())

        by_url: dict[str, list[Delivery]] = {}
        for delivery in deliveries:
            by_url.setdefault(delivery.callback.url(self._world.accounts), []).append(delivery)
        for mine in by_url.values():
            self._begin(in_turn(mine))

    def _try_at(self, due: float, delivery: Delivery) -> None:
        delivery.next_due = due
        self._timers[delivery.id] = self._clock.at(due, partial(self._try, delivery))

    def _try(self, delivery: Delivery) -> None:
        self._timers.pop(delivery.id, None)
        due = delivery.next_due or self._clock.now()
        if delivery.attempt_count and self._config.retry_to_all_apps:
            for other in self._others(delivery):
                self._send_off(self._copy(delivery, other, once=True))
        self._begin(self._deliver(delivery, due))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._live.changed()

    async def _deliver(self, delivery: Delivery, due: float) -> None:
        delivery.next_due = None
        url = delivery.callback.url(self._world.accounts)
        if not url:
            self._finish(delivery, "dropped")  # nobody is subscribed any more
            return
        attempt = await self._attempt(delivery)
        if attempt.status_code == OK:
            self._finish(delivery, "delivered")
            for wamid in delivery.acknowledged:
                self.on_acknowledged(wamid)
        elif delivery.once:
            self._finish(delivery, "dropped")
        else:
            self._trouble.failed(url, delivery.id, attempt.why)
            self._try_again(delivery, due)

    def _try_again(self, delivery: Delivery, due: float) -> None:
        """Climb the ladder; the rungs that time let pass at once has gone over count as this one attempt."""
        cap_s, now = self._config.retry_cap_ms / 1000, self._clock.now()
        while (due := due + delivery.pause_s) <= now and delivery.pause_s < cap_s:
            delivery.pause_s = min(delivery.pause_s * 2, cap_s)
        if due <= now:
            due += cap_s * ((now - due) // cap_s + 1)
        delivery.pause_s = min(delivery.pause_s * 2, cap_s)
        if due - delivery.created_at > KEPT_UP_FOR_S:
            self._finish(delivery, "expired")
            log.warning("webhook %d given up after seven simulated days", delivery.id)
        else:
            self._try_at(due, delivery)

    def _finish(self, delivery: Delivery, state: State) -> None:
        delivery.state, delivery.next_due = state, None
        self._open.pop(delivery.id, None)
        self._trouble.over(delivery.id)

    async def _attempt(self, delivery: Delivery) -> Attempt:
        url = delivery.callback.url(self._world.accounts)
        async with self._poster.rooms.of(url):
            at = self._clock.now()
            answer = await self._poster.post(url, delivery.body, delivery.headers)
        attempt = Attempt(at, *answer)
        delivery.attempts.append(attempt)
        delivery.attempt_count += 1
        self._live.publish("webhooks", dict)
        return attempt

    def _others(self, delivery: Delivery) -> Iterable[Callback]:
        """Walk the callbacks of the other apps that are told the same (4.5)."""
        accounts, told = self._world.accounts, delivery.told[0]
        waba, number = accounts.wabas.get(told.waba_id), accounts.numbers.get(told.phone_number_id or "")
        found = callbacks(accounts, waba, number, told.field) if waba else ()
        return [each for each in found if each.app_id != delivery.callback.app_id]

    def _give_up(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._batcher.clear()
        self._shuffler.clear()
        for task in self._tasks:
            task.cancel()


def _aim(callback: Callback, update: Update) -> tuple[Aim, str | None]:
    told = update.told
    aim = Aim(
        on=WEBHOOKS,
        phone_number_id=update.phone_number_id or "",
        waba_id=update.waba_id,
        wa_id=update.wa_id or "",
        field=update.field,
        status=told.status or "",
        app_id=callback.app_id,
    )
    return aim, told.message_id
