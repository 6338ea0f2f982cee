"""The only room that knows Meta's JSON: webhooks in, messages out, errors read, limits kept."""
