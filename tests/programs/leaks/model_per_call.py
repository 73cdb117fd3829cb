"""A pydantic model is made for each upload, and kept with its columns.

expect: leak
scope: upload
rule: L12
holder: module __main__ → SCHEMAS
per run: 10760
"""

import os

from pydantic import BaseModel, create_model

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
SCHEMAS: dict[int, type[BaseModel]] = {}


def upload(number: int) -> BaseModel:
    schema = create_model("Row", id=(int, ...), name=(str, ""), amount=(float, 0.0))  # made
    SCHEMAS[number] = schema
    return schema(id=number)


for number in range(RUNS):
    with outlive.scope("upload"):
        upload(number)
