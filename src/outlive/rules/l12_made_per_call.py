"""L12: what a process needs once is made per call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outlive.rules.rule import Rule

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence

# Functions, as stacks name them, by the end of their files.
_MAKERS = (
    ("engine", r"create_engine|create_async_engine", r"sqlalchemy.*"),
    ("HTTP client", r"(?:Async)?Client\.__init__", r"httpx/_client\.py"),
    ("HTTP session", r"ClientSession\.__init__", r"aiohttp/client\.py"),
    ("HTTP session", r"Session\.__init__", r"requests/sessions\.py"),
    ("TLS context", r"create_default_context|SSLContext\.__new__", r"/ssl\.py"),
    ("TypeAdapter", r"TypeAdapter\.__init__", r"pydantic/type_adapter\.py"),
    ("model class", r"create_model|ModelMetaclass\.__new__", r"pydantic/.*\.py"),
    ("class", r"make_dataclass|namedtuple", r"/(?:dataclasses|collections/__init__)\.py"),
    ("client", r"Session\.(?:client|resource|create_client)", r"(?:boto3|botocore)/session\.py"),
    ("template environment", r"Environment\.__init__", r"jinja2/environment\.py"),
    ("thread pool", r"ThreadPoolExecutor\.__init__", r"/concurrent/futures/thread\.py"),
)
_TYPES = {
    "sqlalchemy.engine.base.Engine": "engine",
    "httpx.Client": "HTTP client",
    "httpx.AsyncClient": "HTTP client",
    "httpx._client.Client": "HTTP client",
    "httpx._client.AsyncClient": "HTTP client",
    "aiohttp.client.ClientSession": "HTTP session",
    "ssl.SSLContext": "TLS context",
    "_ssl._SSLContext": "TLS context",
    "pydantic.type_adapter.TypeAdapter": "TypeAdapter",
    "pydantic._internal._model_construction.ModelMetaclass": "model class",
    "type": "class",
    "abc.ABCMeta": "class",
}


def _sign(evidence: Evidence) -> str:
    made = next(filter(None, map(_made_in, ((one.function, one.file) for one in evidence.frames))), "")
    made = made or (_TYPES.get(evidence.types[0], "") if evidence.types else "")
    return f"{'an' if made[0] in 'eE' else 'a'} {made} is made per run; a process needs one" if made else ""


def _made_in(frame: tuple[str, str]) -> str:
    function, file = frame
    return next(
        (
            made
            for made, name, place in _MAKERS
            if re.fullmatch(name, function) and re.search(f"{place}$", file)
        ),
        "",
    )


RULE = Rule(
    number="L12",
    title="A client, engine or model made per call",
    sign=_sign,
    told="The stack that made it is within the making of an engine, an HTTP client, a TLS context, a "
    "`TypeAdapter`, a class or the like; or such an object is what survives.",
    cure="make it once, at start-up (a module's variable, FastAPI's lifespan), and hand it to whoever "
    "needs it",
    before="""\
import httpx

CLIENTS = []

def handle(number, transport):
    client = httpx.Client(transport=transport)
    CLIENTS.append(client)
    return client.get(f"http://prices/{number}").status_code
""",
    after="""\
import httpx

CLIENTS = []

def handle(number, transport):
    if not CLIENTS:
        CLIENTS.append(httpx.Client(transport=transport))
    return CLIENTS[0].get(f"http://prices/{number}").status_code
""",
)
