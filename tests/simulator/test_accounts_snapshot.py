"""Accounts, tokens, media and what is used up go into a snapshot and come out of it as they were."""

import json
from typing import TYPE_CHECKING

import aiohttp

from sayso.simulator import Simulator

if TYPE_CHECKING:
    from simulator.conftest import Graph

NUMBER, WABA = "100000000000001", "200000000000001"
PNG = b"\x89PNG\r\n\x1a\n"


async def test_accounts_are_put_back(graph: "Graph", sim: Simulator) -> None:
    sim.clock.run(0)
    form = aiohttp.FormData({"messaging_product": "whatsapp"})
    form.add_field("file", PNG, filename="a.png", content_type="image/png")
    media = (await graph.call("POST", f"/{NUMBER}/media", data=form)).json["id"]
    handle = (await graph.call("POST", "/900000000000001/uploads?file_length=8&file_type=image/png")).json[
        "id"
    ]
    sim.accounts.add_number(phone="+15550100001", username="second", allowed=["+15550001111"])
    sim.accounts.change_number(NUMBER, restriction={"code": 131048, "countries": ["DE"], "for_s": 60})
    sim.accounts.add_token(value="brief", expires_in_s=60, waba_ids=[WABA])
    sim.accounts.hold_username("ourco", "facebook")
    before, kept = sim.accounts.listed(), sim.snapshot()

    await sim.reset()
    assert (await graph.call("GET", f"/{media}")).code == 33
    await sim.restore(kept)
    assert sim.accounts.listed() == before
    assert (await graph.call("GET", f"/{media}")).json["file_size"] == len(PNG)
    assert (await graph.call("GET", f"/{handle}")).json["file_offset"] == 0
    assert (await graph.call("POST", f"/{NUMBER}/username", json={"username": "ourco"})).code == 147003
    assert (await graph.call("GET", f"/{NUMBER}", headers={"Authorization": "Bearer brief"})).status == 200
    sim.advance(60)
    assert (await graph.call("GET", f"/{NUMBER}", headers={"Authorization": "Bearer brief"})).code == 190
    sim.accounts.change_number(NUMBER, quality_rating="RED")
    assert (await graph.call("GET", f"/{NUMBER}?fields=quality_rating")).json["quality_rating"] == "RED"


async def test_what_is_used_up_stays_so(graph: "Graph", sim: Simulator) -> None:
    sim.clock.run(0)
    sim.accounts.change_number(NUMBER, registered=False)
    for _ in range(199):
        await graph.call("GET", f"/{WABA}")
    await sim.restore(sim.snapshot())
    bearer = {"Authorization": f"Bearer {graph.token}"}
    async with graph.session.get(f"{graph.base_url}/{WABA}", headers=bearer) as answer:
        usage = json.loads(answer.headers["x-business-use-case-usage"])
    assert usage[WABA][0]["call_count"] == 100
    assert (await graph.call("GET", f"/{WABA}")).code == 80008
