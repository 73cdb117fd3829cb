"""The export job that keeps one part of the rows at a time."""

import csv
import json
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

import outlive
from examples.leaky_export.models import HEADER, UserActivity

PART_ROWS = 100
"""Rows in memory at once: at most 1 MB of JSON text, and its parsed form."""


@outlive.profile
async def export_user_data(engine: AsyncEngine, user_id: str, tenant_id: str, output_path: Path) -> Path:
    """Export all activity of a user as CSV, in memory that doesn't grow with the rows."""
    query = (
        select(UserActivity.timestamp, UserActivity.action, UserActivity.details)
        .where(UserActivity.user_id == user_id, UserActivity.tenant_id == tenant_id)
        .order_by(UserActivity.id)
        .execution_options(yield_per=PART_ROWS)
    )
    # stream(), because execute() on an AsyncSession reads everything before it returns.
    async with AsyncSession(engine) as session:
        with output_path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            result = await session.stream(query)
            async for part in result.partitions():
                for timestamp, action, details in part:
                    writer.writerow([timestamp.isoformat(), action, json.dumps(details)])
    return output_path
