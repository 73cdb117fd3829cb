"""SQLAlchemy listeners that are removed when the export that added them is done.

expect: no leak
"""

import os

from sqlalchemy import create_engine, event, text
from sqlalchemy.pool import StaticPool

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
ENGINE = create_engine("sqlite://", poolclass=StaticPool)


class Export:
    def __init__(self) -> None:
        self.statements: list[str] = []

    def note(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        self.statements.append(statement * 1000)


for _ in range(RUNS):
    with outlive.scope("export"), ENGINE.connect() as connection:
        export = Export()
        event.listen(ENGINE, "before_cursor_execute", export.note)
        connection.execute(text("select 1"))
        event.remove(ENGINE, "before_cursor_execute", export.note)
