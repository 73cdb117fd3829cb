"""Each call adds a response hook to the client they share.

expect: leak
scope: fetch
rule: L15
holder: module __main__ → CLIENT → response → Recorder
per run: 32057
"""

import os

import httpx

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
CLIENT = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200)), base_url="http://test")


class Recorder:
    def __init__(self) -> None:
        self.buffer = bytearray(32_000)  # made

    def note(self, response: httpx.Response) -> None:
        self.buffer[0] = response.status_code % 256


def fetch() -> int:
    CLIENT.event_hooks["response"].append(Recorder().note)
    return len(CLIENT.event_hooks["response"])


for _ in range(RUNS):
    with outlive.scope("fetch"):
        fetch()
