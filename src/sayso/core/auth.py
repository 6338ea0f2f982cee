"""Who calls a route: every route names its scope, and is handed the actor."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from sayso.core.api import refuse_unknown_parameters
from sayso.core.errors import ForbiddenError, UnauthenticatedError
from sayso.core.tokens import SCOPES, Actor

#: Only for the documentation page, which then can authorise: our own words are better than its refusals.
_BEARER = HTTPBearer(bearerFormat="JWT", description="`sayso token` prints one.", auto_error=False)


class needs:  # noqa: N801 - reads as a sentence where it stands: Depends(needs("messages:send"))
    """A route's scope. A test enumerates the routes and finds one on each."""

    def __init__(self, scope: str) -> None:
        if scope not in SCOPES:
            raise ValueError(f"no such scope: {scope}")
        self.scope = scope

    async def __call__(self, request: Request, _shown: Annotated[object, Security(_BEARER)] = None) -> Actor:
        """The caller; raises when the token is missing, not valid, or lacks the scope. See ``api.runtime``."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise UnauthenticatedError(
                "Send `Authorization: Bearer <token>`; `sayso token --user … --client …` prints one."
            )
        actor: Actor = request.app.state.tokens.actor(token.strip(), now=request.app.state.rt.now())
        if not actor.may(self.scope):
            raise ForbiddenError(
                f"This route needs the scope {self.scope}; the token has: {_listed(actor)}. "
                f"`sayso token --scope {self.scope}` makes one that has it."
            )
        refuse_unknown_parameters(
            request
        )  # every route names its scope; who may not call it learns nothing else
        return actor


def _listed(actor: Actor) -> str:
    return " ".join(sorted(actor.scopes)) or "none"


MaySend = Annotated[Actor, Depends(needs("messages:send"))]
MayReadMessages = Annotated[Actor, Depends(needs("messages:read"))]
MayAsk = Annotated[Actor, Depends(needs("confirmations:ask"))]
MayReadConfirmations = Annotated[Actor, Depends(needs("confirmations:read"))]
MayLinkPeople = Annotated[Actor, Depends(needs("people:write"))]
MayReadPeople = Annotated[Actor, Depends(needs("people:read"))]
MayReadTemplates = Annotated[Actor, Depends(needs("templates:read"))]
MayManageTemplates = Annotated[Actor, Depends(needs("templates:write"))]
MayReadEvents = Annotated[Actor, Depends(needs("events:read"))]
MayManageEndpoints = Annotated[Actor, Depends(needs("endpoints:write"))]
MayOperate = Annotated[Actor, Depends(needs("operate"))]
MayRecordConsents = Annotated[Actor, Depends(needs("consents:write"))]
MayReadConsents = Annotated[Actor, Depends(needs("consents:read"))]
