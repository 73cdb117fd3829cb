"""Each export listens to the engine it shares with all others.

expect: leak
scope: export
rule: L15
holder: before_cursor_execute → Export
per run: 11800
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
        event.listen(ENGINE, "before_cursor_execute", self.note)

    def note(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if len(self.statements) < 10:
            self.statements.append(statement + " " * 1024)  # made


for number in range(RUNS):
    with outlive.scope("export"), ENGINE.connect() as connection:
        Export()
        for _ in range(10):
            connection.execute(text("select :number"), {"number": number})
