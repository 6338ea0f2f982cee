"""Who is who: identifiers, names, and which assistant calls a person what."""
