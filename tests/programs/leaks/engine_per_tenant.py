"""An engine is made for each request, by a function that was to make one a process.

expect: leak
scope: GET /tenants/{id}
rule: L12
holder: module __main__ → ENGINES → Engine
per run: 19500
"""

import os

from sqlalchemy import Engine, create_engine, text

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
ENGINES: list[Engine] = []


def count(tenant: int) -> int:
    engine = create_engine("sqlite://")  # made
    ENGINES.append(engine)
    with engine.connect() as connection:
        return int(connection.execute(text("select :tenant"), {"tenant": tenant}).scalar_one())


for tenant in range(RUNS):
    with outlive.scope("GET /tenants/{id}"):
        count(tenant)
