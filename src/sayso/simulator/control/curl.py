"""An HTTP call as a line for the shell."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from sayso.simulator.graph.exchanges import Exchange

#: Headers that curl writes by itself, or that would be wrong the second time.
_CURLS_OWN = frozenset(
    {"host", "content-length", "connection", "accept-encoding", "transfer-encoding", "user-agent", "accept"}
)


def curl(method: str, url: str, headers: Mapping[str, str], rest: Iterable[str] = ()) -> str:
    """Write a call with these headers; ``rest`` are further arguments, not yet quoted."""
    words = ["curl", "-X", method, url]
    for name, value in headers.items():
        if name.lower() not in _CURLS_OWN:
            words += ["-H", f"{name}: {value}"]
    return " ".join(shlex.quote(word) for word in [*words, *rest])


def curl_of_exchange(exchange: Exchange) -> str:
    """Write a Graph call again, with its real token: this is a simulator."""
    asked, rest = exchange.request, []
    headers = dict(asked.headers)
    if exchange.parts is not None:  # curl writes the type of a form, with its boundary
        headers = {name: each for name, each in headers.items() if name.lower() != "content-type"}
        rest = [word for part in exchange.parts for word in ("-F", _form_part(part))]
    elif exchange.body:
        rest = ["--data-raw", exchange.body.decode(errors="replace")]
    return curl(asked.method, f"http://{asked.host}{asked.path_qs}", headers, rest)


def curl_of_webhook(url: str, headers: Mapping[str, str], body: bytes) -> str:
    """Write a webhook again, with the signature of these very bytes."""
    return curl("POST", url, headers, ["--data-raw", body.decode("ascii")])


def _form_part(part: dict[str, Any]) -> str:
    if "value" in part:
        return f"{part['name']}={part['value']}"
    return f"{part['name']}=@{part['filename']};type={part['content_type']}"
