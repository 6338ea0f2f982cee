"""Our business numbers: what Meta allows each, how fast each goes now, and what holds it."""
