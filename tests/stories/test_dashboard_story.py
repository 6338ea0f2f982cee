"""One page tells everything that happened to a question, in order, with the words that were shown."""

import re
from html import unescape

import aiohttp

from harness.world import ALICE, BEN, CONFIRM, MEI, World

DAVE = "+15550004444"
WHO = {"alice": ALICE, "ben": BEN, "carol": MEI, "dave": DAVE}
FIELDS = {f"field{n:02}": f"value {n} of some length" for n in range(20)}
WHOLE = "All of it, before you decide:"
SHOW = 0

#: What has to be told, in this order; other moments may stand between.
MOMENTS = [
    ("requested", "the assistant"),
    ("asked", "alice …1111"),
    ("answer", "alice …1111 tapped a button: show all; every field is shown"),
    ("shown all", "alice …1111 read The words, "),
    (
        "escalated to",
        "dave …4444, in place of carol …3333, who is away, since it was not answered within 10 min",
    ),
    ("reminded", "alice …1111 read 🔔 “schedule a meeting with John” still waits for your answer."),
    ("reminded", "dave …4444 read 🔔"),
    ("answer", "dave …4444 wrote a word: yes; not every field was seen, changed nothing Yes"),
    ("shown all", "dave …4444 read The words, "),
    ("answer", "dave …4444 tapped a button: yes; decided it"),
    ("confirmed", "decided by what was answered"),
    ("closed", "alice …1111 read ℹ️ “schedule a meeting with John” was confirmed by others."),
    ("closed", "dave …4444 read ✅ Confirmed: “schedule a meeting with John”"),
    ("claimed", "the assistant took the right to act, once"),
    ("reported", "the assistant reported what came of it: done booked as 4711"),
    (
        "told",
        "dave …4444 read ✅ Done: “schedule a meeting with John” The assistant says: “booked as 4711”",
    ),
]


async def page_of(world: World, confirmation_id: str) -> str:
    """The page, as whoever asked sees it."""
    jar = aiohttp.CookieJar(unsafe=True)  # an address in digits keeps none otherwise
    path = f"/dashboard/confirmations/{confirmation_id}"
    async with aiohttp.ClientSession(world.api.url, cookie_jar=jar) as browser:
        form = {"token": world.api.bearer, "next": path}
        async with browser.post("/dashboard/login", data=form) as answer:
            assert (answer.status, answer.url.path) == (200, path)
            return await answer.text()


def moments(page: str) -> list[tuple[str, str]]:
    """What happened, in the page's order: the word, and everything that is told of it."""
    (section,) = re.findall(r'aria-labelledby="happened">(.*?)</section>', page, re.DOTALL)
    steps = re.findall(r'<li class="\w+">.*?<b>(.*?)</b>(.*?)</li>', section, re.DOTALL)
    return [(what, unescape(" ".join(re.sub(r"<[^>]+>", " ", said).split()))) for what, said in steps]


async def asked_until_the_stand_in_confirms(world: World) -> str:
    """Alice has all of it shown and does not answer; Carol is away, and Dave confirms in her place; the id."""
    for user, number in WHO.items():
        await world.api.link(number, user=user, name=user.title())
        await world.open_window(number)
    away = {"delegate": "dave", "until": "2100-01-01T00:00:00Z"}
    await world.api.must("PUT", "/people/carol/absence", json=away)
    step = {"after": "10m", "when": "unanswered", "to": "carol"}
    asked = await world.api.ask(
        approvers=["alice"], escalation=[step], action=FIELDS, remind_minutes_before=5
    )
    prompt = await world.sim.expect_message(to=ALICE, containing="meeting with John")
    await world.tapped(prompt["wamid"], SHOW)
    await world.sim.expect_message(to=ALICE, containing=WHOLE)
    world.let_pass(minutes=11)
    await world.sim.expect_message(to=DAVE, containing="meeting with John")
    world.let_pass(minutes=15)
    await world.sim.expect_message(to=ALICE, containing="still waits")
    await world.said("Yes", person=DAVE)
    whole = await world.sim.expect_message(to=DAVE, containing=WHOLE)
    await world.at_rest()
    await world.tapped(whole["wamid"], CONFIRM, person=DAVE)
    return str(asked["id"])


async def test_the_page_of_a_decision_tells_every_moment_and_every_word(world: World) -> None:
    confirmation_id = await asked_until_the_stand_in_confirms(world)
    decided = await world.api.outcome(confirmation_id)
    path = f"/confirmations/{confirmation_id}"
    await world.api.must("POST", f"{path}/claim", expect=201, json={"action_hash": decided["action_hash"]})
    report = {"status": "done", "note": "booked as 4711", "tell_person": True}
    await world.api.must("POST", f"{path}/execution", json=report)
    await world.sim.expect_message(to=DAVE, containing="booked as 4711")
    await world.keeps_its_promises()
    page = await page_of(world, confirmation_id)
    assert "it quoted what we said of it" in page
    assert "✓ verified" in page
    told = moments(page)
    at = -1
    for what, said in MOMENTS:
        found = [n for n, (word, text) in enumerate(told) if n > at and word == what and said in text]
        assert found, f"{what}: {said} is not told after moment {at} of {told}"
        at = found[0]
    assert sum(text.count(WHOLE) for _, text in told) == 2
    assert all("field19: “value 19 of some length”" in text for what, text in told if what == "shown all")
    forge = (
        "UPDATE approvers SET shown = replace(shown::text, 'value 19', 'value 91')::jsonb WHERE rest <> '{}'"
    )
    assert len(await world.rows(f"{forge} RETURNING 1")) == 2
    assert "✗ does not hold" in await page_of(world, confirmation_id), "the whole of it was another"
