"""How long Meta tries to deliver a message before it drops it without a word (cloud-api.md 2.1, 3.7)."""

from sayso.simulator.world.templates import Template

USUAL_S = 30 * 24 * 3600.0
AUTHENTICATION_S = 600.0


def lifetime_s(template: Template | None) -> float:
    """Tell how many seconds a message lives: 30 days, unless its template says otherwise.

    Authentication templates live 10 minutes; ``message_send_ttl_seconds`` of -1 means 30 days for them too.
    """
    if template is None:
        return USUAL_S
    own = template.message_send_ttl_seconds
    if own is None:
        return AUTHENTICATION_S if template.category == "AUTHENTICATION" else USUAL_S
    return USUAL_S if own < 0 else float(own)
