"""The control API under ``/_sim``: be the person, see what was sent, move time, let things go wrong."""
