"""What differs between the versions of webhook payloads (cloud-api.md 1.1, 4.1, 4.9, 4.11)."""

_V24 = (24, 0)


def since_v24(version: str) -> bool:
    """Tell whether payloads are those of v24.0 and later.

    They tell ``conversation`` within a free entry point's window only (4.9), and limits per business (4.1, 4.11).
    """
    major, minor = version.removeprefix("v").split(".")
    return (int(major), int(minor)) >= _V24
