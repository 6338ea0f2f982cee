"""What a rule says when a message may not go."""

from typing import NamedTuple


class Refusal(NamedTuple):
    """Why a message may not go: the code of cloud-api.md 5.3, and words for ``error_data.details``."""

    code: int
    details: str
