"""A new httpx client a call, kept to be closed at shutdown.

expect: leak
scope: fetch
rule: L12
holder: module __main__ → CLIENTS → Client
per run: 19100
"""

import os

import httpx

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
CLIENTS: list[httpx.Client] = []
HEADERS = {f"x-feature-{number}": "on" for number in range(80)}


def fetch(path: str) -> int:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=request.url.path))
    client = httpx.Client(transport=transport, base_url="http://test", headers=HEADERS)  # made
    CLIENTS.append(client)
    return client.get(path).status_code


for number in range(RUNS):
    with outlive.scope("fetch"):
        fetch(f"/prices/{number}")
