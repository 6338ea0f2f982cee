"""The command line: ``sayso serve``, ``token``, ``simulator``, ``demo``."""

from sayso.cli.main import main

__all__ = ["main"]
