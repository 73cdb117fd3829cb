"""The one table of the worked example: what a user did, and the details of it as JSON."""

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, URL, DateTime, Index, Text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

HEADER = ["timestamp", "action", "details"]
"""The columns of an export, in order."""


class Base(DeclarativeBase):
    """The example's declarative base."""


class UserActivity(Base):
    """One event of one user of one tenant."""

    __tablename__ = "user_activity"
    __table_args__ = (Index("user_activity_by_owner", "tenant_id", "user_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    user_id: Mapped[str] = mapped_column(Text)
    timestamp: Mapped[datetime] = mapped_column(DateTime)
    action: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


def open_engine(database: Path) -> AsyncEngine:
    """Return an async engine on the SQLite file ``database``."""
    return create_async_engine(URL.create("sqlite+aiosqlite", database=str(database)))
