"""Why a template definition is refused: code 100 with the ``error_subcode`` that tells what about (3.2)."""

from sayso.simulator.errors import GraphError

NAME_TAKEN = 2388024
OVER_THE_COUNT = 2388019
NOT_EDITABLE = 2388039
TOO_LONG = 2388040
HEADER_FORMAT = 2388047
BODY_FORMAT = 2388072
FOOTER_FORMAT = 2388073
TOO_MANY_VARIABLES = 2388293
VARIABLE_AT_THE_EDGE = 2388299
#: Not on the sheet, seen in answers of the platform that others have published:
LANGUAGE_BEING_DELETED = 2388023
SAMPLE = 2388094  # the sample template cannot be deleted
NOT_FOUND = 2593002
_TITLES = {
    LANGUAGE_BEING_DELETED: "Message template language is being deleted",
    SAMPLE: "The sample template cannot be deleted",
    NOT_FOUND: "Message template not found",
}


def refused(details: str, subcode: int | None = None) -> GraphError:
    """Compose a refusal: 100, the subcode if the rule has one, and what is wrong where."""
    title = _TITLES.get(subcode or 0)
    return GraphError(100, details, subcode=subcode, user=None if title is None else (title, details))


def too_long(where: str, length: int, limit: int) -> GraphError:
    """Compose the refusal of a text over its limit (2388040)."""
    return refused(f"{where} must be at most {limit} characters long; it has {length}.", TOO_LONG)
