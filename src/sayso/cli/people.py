"""``sayso people``: who somebody is, everything known of them, forgetting them, and merges taken back."""

from typing import Annotated, Any

import typer

from sayso.cli.database import with_runtime
from sayso.cli.running import ENV_FILE, EnvFile
from sayso.cli.saying import as_json
from sayso.core.database import Tx
from sayso.core.errors import InputInvalidError, NotFoundError
from sayso.core.runtime import Runtime
from sayso.people.persons import Person

people = typer.Typer(help="Who is who: look, export, forget, take apart.", no_args_is_help=True)

Who = Annotated[
    str,
    typer.Argument(
        help="A number with +, a WhatsApp user id, a person's id (per_…), or an assistant's user."
    ),
]
Client = Annotated[
    str | None,
    typer.Option(help="The assistant whose user is meant; needed when several have one of this name."),
]


@people.command()
def show(who: Who, client: Client = None, env_file: EnvFile = ENV_FILE) -> None:
    """Print how somebody is known, since when and from whom, and what each assistant calls them."""

    async def work(rt: Runtime) -> dict[str, Any]:
        from sayso.people import erasing  # noqa: PLC0415

        async with rt.db.tx() as tx:
            person = await _found(tx, who, client)
            return {
                "id": person.id,
                "records": person.ids,
                "same_line": person.twins,
                "name": person.name,
                "sends_go_to": person.to or person.user_id,
                "language": person.language,
                "language_from": person.in_force("language", person.language_known)[1],
                "time_zone": person.time_zone,
                "time_zone_from": person.in_force("time_zone", person.time_zone_known)[1],
                "identifiers": [dict(row) for row in await erasing.identifiers(tx, person)],
                "users": [dict(row) for row in await erasing.users(tx, person)],
            }

    _print(with_runtime(env_file, work))


@people.command()
def export(who: Who, client: Client = None, env_file: EnvFile = ENV_FILE) -> None:
    """Print everything that is known of somebody, as JSON."""

    async def work(rt: Runtime) -> dict[str, Any]:
        from sayso.app import INBOX  # noqa: PLC0415
        from sayso.operate.export import export as told  # noqa: PLC0415

        async with rt.db.tx() as tx:
            return await told(tx, rt, INBOX, await _found(tx, who, client), client_id=None)

    _print(with_runtime(env_file, work))


@people.command()
def erase(
    who: Who,
    client: Client = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002 - a flag of the command line
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Forget somebody, whichever assistants know them: texts, answers, identifiers. It cannot be undone."""

    async def work(rt: Runtime) -> str:
        from sayso.app import INBOX  # noqa: PLC0415
        from sayso.operate import erasure  # noqa: PLC0415

        async with rt.db.tx() as tx:
            person = await _found(tx, who, client)
        if not yes:  # outside the transaction: a person may take their time
            typer.confirm(f"Forget {who}, for every assistant? It cannot be undone", abort=True)
        await erasure.forget(rt, INBOX, person)
        return person.id

    typer.echo(f"{with_runtime(env_file, work, seals=True)} is forgotten.")


@people.command()
def merges(who: Who, client: Client = None, env_file: EnvFile = ENV_FILE) -> None:
    """Print which records were found to be one person, when and why."""

    async def work(rt: Runtime) -> list[dict[str, Any]]:
        from sayso.people import merging  # noqa: PLC0415

        async with rt.db.tx() as tx:
            return [dict(row) for row in await merging.merges_of(tx, await _found(tx, who, client))]

    _print(with_runtime(env_file, work))


@people.command()
def undo(
    merge: Annotated[str, typer.Argument(help="The id of a merge (mrg_…), from `sayso people merges`.")],
    because: Annotated[str, typer.Option(help="Why, for the record.")],
    env_file: EnvFile = ENV_FILE,
) -> None:
    """Take apart what was found to be one person. Whoever had left stays out on both sides."""

    async def work(rt: Runtime) -> tuple[Person, Person]:
        from sayso.operate.apart import take_apart  # noqa: PLC0415

        async with rt.db.tx() as tx:
            return await take_apart(tx, rt, merge, because=because)

    one, other = with_runtime(env_file, work, seals=True)
    typer.echo(f"{one.id} and {other.id} are two persons again.")


async def _found(tx: Tx, who: str, client: str | None) -> Person:
    """Whoever is meant; raises :class:`NotFoundError`, or InputInvalidError where several assistants have that user."""
    from sayso.people import finding, links  # noqa: PLC0415

    try:
        person = await finding.find(tx, who, client_id=client)
    except InputInvalidError:
        person = None  # a name, then
    if person is None and client is None:
        clients = await links.called(tx, who)
        if len(clients) > 1:
            raise InputInvalidError(
                f"{len(clients)} assistants have a user {who!r}; say whose: --client {', or --client '.join(clients)}."
            )
        person = await finding.find(tx, who, client_id=clients[0]) if clients else None
    if person is None:
        known = f"Nobody is known as {who!r}" + (f" to {client!r}" if client else "")
        raise NotFoundError(
            f"{known}. Name a number with +, a WhatsApp user id, per_… or an assistant's user."
        )
    return person


def _print(told: Any) -> None:
    typer.echo(as_json(told))
