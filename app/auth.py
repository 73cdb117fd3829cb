"""Whose request it is. API keys name a tenant; nothing else in a request does."""

from hashlib import sha256
from secrets import token_urlsafe
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Engine, insert, select

from app.db.engine import now
from app.db.tables import api_key
from app.service import CurrentService

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


def create_key(engine: Engine, tenant_id: str) -> str:
    """Make an API key for the tenant. The key is returned once; only its hash is kept."""
    key = f"exports_{token_urlsafe(32)}"
    with engine.begin() as connection:
        connection.execute(insert(api_key).values(sha256=_digest(key), tenant_id=tenant_id, created_at=now()))
    return key


def find_tenant(engine: Engine, key: str) -> str | None:
    """Return the key's tenant, or None for a key that was never made."""
    with engine.connect() as connection:
        return connection.scalar(select(api_key.c.tenant_id).where(api_key.c.sha256 == _digest(key)))


def unauthorized(*, reason: str) -> HTTPException:
    """Return the answer to a request without the right credential."""
    return HTTPException(401, reason, headers={"WWW-Authenticate": "Bearer"})


def current_tenant(service: CurrentService, bearer: Bearer) -> str:
    """Return the tenant whose key the request carries, or answer 401."""
    if bearer is None:
        raise unauthorized(reason="no API key: send the header 'Authorization: Bearer KEY'")
    tenant_id = find_tenant(service.engine, bearer.credentials)
    if tenant_id is None:
        raise unauthorized(reason="unknown API key")
    return tenant_id


CurrentTenant = Annotated[str, Depends(current_tenant)]


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()
