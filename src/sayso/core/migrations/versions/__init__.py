"""One step a file, in order; a step that has landed is never edited."""
