"""One httpx client for all calls, with cookies and headers of each call its own.

expect: no leak
"""

import os

import httpx

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


def answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"path": request.url.path, "rows": list(range(500))})


with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://test") as client:
    for number in range(RUNS):
        with outlive.scope("fetch"):
            client.get(f"/prices/{number}", headers={"x-request": str(number)}).json()
