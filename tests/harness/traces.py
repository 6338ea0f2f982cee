"""Where in a database something is still to be read: every column of every table, whatever it is for."""

from base64 import b64encode
from collections.abc import Iterable

from harness import evidence

_COLUMNS = """
SELECT c.table_name AS table, c.column_name AS column, c.data_type = 'bytea' AS raw
FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND (c.data_type IN ('text', 'bytea', 'jsonb', 'ARRAY'))
"""
_GROUP = 3  # bytes that base64 writes together


async def traces(dsn: str, looked_for: Iterable[str]) -> set[tuple[str, str, str]]:
    """(table, column, what) for everything that is found, as itself or within what is written in base64."""
    sought = sorted({form: each for each in looked_for for form in _forms(each)}.items())
    found = set()
    connection = await evidence.connect(dsn)  # one: there are some hundred columns
    try:
        for at in await connection.fetch(_COLUMNS):
            kind, column = (
                ("bytea", f"t.{at['column']}") if at["raw"] else ("text", f"t.{at['column']}::text")
            )
            rows = await connection.fetch(
                f"SELECT DISTINCT n.nr FROM {at['table']} AS t, unnest($1::{kind}[]) WITH ORDINALITY AS n (form, nr) "
                f"WHERE position(n.form IN {column}) > 0",
                [form.encode() if at["raw"] else form for form, _ in sought],
            )
            found |= {(at["table"], at["column"], sought[row["nr"] - 1][1]) for row in rows}
    finally:
        await connection.close()
    return found


def _forms(text: str) -> Iterable[str]:
    """The text, and what of it can be read in base64, wherever in it the text begins."""
    yield text
    for lead in range(_GROUP):
        raw = text.encode()[(-lead) % _GROUP :]
        whole = raw[: len(raw) // _GROUP * _GROUP]
        if len(whole) >= 2 * _GROUP:
            yield b64encode(whole).decode()
