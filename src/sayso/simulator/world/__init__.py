"""The simulated world: time, ids, accounts, people, messages, media and templates. No HTTP, nothing blocks."""
