"""Every outbound message: one path that knows to whom, whether, in what form, and what came of it."""
