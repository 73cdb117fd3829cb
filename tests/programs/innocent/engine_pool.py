"""A connection pool that opens its five connections as they are first needed.

expect: no leak
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import create_engine, text

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))

with TemporaryDirectory() as folder:
    engine = create_engine(f"sqlite:///{Path(folder, 'app.db')}", pool_size=5)
    for number in range(RUNS):
        with outlive.scope("query"):
            connections = [engine.connect() for _ in range(min(number // 5, 4) + 1)]
            for connection in connections:
                connection.execute(text("select :number"), {"number": number})
                connection.close()
    engine.dispose()
