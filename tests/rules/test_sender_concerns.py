"""What of a number's description worries, and what does not."""

import pytest

from sayso.senders.concerns import PARTS, concerns


def found(**about: str | None) -> list[tuple[str, str]]:
    described = {"quality": "GREEN", "status": "CONNECTED", "can_send": "AVAILABLE", **about}
    told = concerns(
        quality=described["quality"],
        status=described["status"],
        can_send=described["can_send"],
        obstacles=("WABA: 141006 no card",),
    )
    assert all(each.part in PARTS and each.title and each.detail and each.advice for each in told)
    return [(each.part, each.severity) for each in told]


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({}, []),
        ({"quality": None, "status": None, "can_send": None}, []),
        ({"quality": "YELLOW"}, []),
        ({"quality": "UNKNOWN"}, []),
        ({"quality": "RED"}, [("quality", "warning")]),
        ({"status": "FLAGGED"}, [("status", "warning")]),
        ({"status": "RESTRICTED"}, [("status", "warning")]),
        ({"status": "BANNED"}, [("status", "critical")]),
        ({"status": "DISCONNECTED"}, [("status", "critical")]),
        ({"status": "SOMETHING_NEW"}, []),
        ({"can_send": "LIMITED"}, [("health", "warning")]),
        ({"can_send": "BLOCKED"}, [("health", "critical")]),
        (
            {"quality": "RED", "status": "BANNED", "can_send": "BLOCKED"},
            [("quality", "warning"), ("status", "critical"), ("health", "critical")],
        ),
    ],
)
def test_each_word_of_metas_worries_as_much_as_it_should(
    about: dict[str, str | None], expected: list[tuple[str, str]]
) -> None:
    assert found(**about) == expected


def test_what_stands_in_the_way_is_told_in_metas_words() -> None:
    (told,) = concerns(quality=None, status=None, can_send="BLOCKED", obstacles=("WABA: 141006 no card",))
    assert told.detail == "WABA: 141006 no card"
