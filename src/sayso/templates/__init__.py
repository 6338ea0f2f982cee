"""Message templates: definitions as files, the mirror of what Meta has, and how the two differ."""
