"""A list on the class that every instance appends to.

expect: leak
scope: validate
rule: L19
holder: module __main__ → Validator → errors → list
per run: 11220
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Validator:
    errors: list[str] = []  # noqa: RUF012

    def validate(self, row: int) -> None:
        for field in range(110):
            self.errors.append(f"row {row:6}: field {field:3} is not a number, as it is to be")  # made


for row in range(RUNS):
    with outlive.scope("validate"):
        Validator().validate(row)
