"""Who and what every simulator has from the start, as tests name them."""

from typing import Any

ANA, BEN = "+15550001111", "+15550002222"
HOUR, DAY = 3600, 86_400
HELLO: dict[str, Any] = {
    "type": "template",
    "template": {"name": "hello_world", "language": {"code": "en_US"}},
}
