"""What somebody is told who mistypes the name of a method."""

from typing import TYPE_CHECKING

from sayso.simulator.mistakes import guess


def no_such_name(what: str, name: str, there: object) -> AttributeError:
    """Compose the error about a ``name`` that is not ``there``, with the public one that may have been meant."""
    if name.startswith("_"):  # nobody's to use, and perhaps asked for before there is anything
        return AttributeError(f"{what} has no `{name}`.")
    return AttributeError(f"{what} has no `{name}`{guess(name, [n for n in dir(there) if n[0] != '_'])}")


class Named:
    """Something whose names are guessed when they are mistyped; a type checker sees those there are."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            raise no_such_name(type(self).__name__, name, self)
