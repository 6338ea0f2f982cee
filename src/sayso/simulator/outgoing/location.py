"""A place on the map (cloud-api.md 2.4)."""

from typing import Any

from sayso.simulator.fields import number_at, object_at, words_at
from sayso.simulator.outgoing.reading import Reading
from sayso.simulator.world.content import Content, Place


def location(body: dict[str, Any], _: Reading) -> Content:
    """Read a location: degrees as numbers or as strings of them, a name and an address or none."""
    return Content(place=place_at(body, "location", "location"))


def place_at(holder: dict[str, Any], key: str, where: str) -> Place:
    """Read the location under ``key``, wherever one stands."""
    given = object_at(holder, key, where, ("latitude", "longitude", "name", "address"))
    return Place(
        latitude=number_at(given, "latitude", f"{where}['latitude']", least=-90, most=90),
        longitude=number_at(given, "longitude", f"{where}['longitude']", least=-180, most=180),
        name=words_at(given, "name", f"{where}['name']"),
        address=words_at(given, "address", f"{where}['address']"),
    )
