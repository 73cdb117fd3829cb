"""A logger named after each request: the logging module keeps them all.

expect: leak
scope: request
rule: L13
holder: loggerDict
per run: 17800
"""

import logging
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


def handle(request: int) -> None:
    for part in range(30):
        logging.getLogger(f"requests.{request}.{part}").debug("done")  # made


for request in range(RUNS):
    with outlive.scope("request"):
        handle(request)
