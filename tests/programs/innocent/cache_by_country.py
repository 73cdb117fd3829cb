"""A cache without a limit, and no need of one: there are twelve countries.

expect: no leak
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
COUNTRIES = ("at", "be", "ch", "de", "dk", "es", "fi", "fr", "it", "nl", "no", "se")
RATES: dict[str, list[float]] = {}


def rates(country: str) -> list[float]:
    if country not in RATES:
        RATES[country] = [number / 7 for number in range(3000)]
    return RATES[country]


for number in range(RUNS):
    with outlive.scope("checkout"):
        rates(COUNTRIES[number % len(COUNTRIES)])
