"""How many questions an assistant may ask, as the policy's ``[caps]`` says it, and where it says nothing. Pure."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Limit = Literal["unlimited"] | Annotated[int, Field(ge=1, le=1_000_000)]


class Caps(BaseModel):
    """Questions of one assistant in a time, and open at once: to one person, and to everybody.

    They hold without a policy, too: nobody is to be asked so often that they tap yes to make it stop. A person's ten
    are as many as one list of open questions holds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    person_hour: Limit = 20
    person_day: Limit = 100
    person_open: Limit = 10
    client_hour: Limit = 1_000
    client_day: Limit = 10_000
    client_open: Limit = 1_000
