"""The export job as the story tells it, made to run as it was meant. An exhibit: do not copy it.

Nothing here leaks. Everything dies when the job returns, but until then it all lives at once.
"""
# ruff: noqa: ASYNC230, PERF401, PTH123 -- the exhibit keeps its author's way of writing

import json
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import outlive
from examples.leaky_export.models import UserActivity


@outlive.profile
async def export_user_data(session: AsyncSession, user_id: str, tenant_id: str, output_path: Path) -> Path:
    """Export all activity of a user as what was meant to be CSV."""
    query = select(UserActivity).where(
        UserActivity.user_id == user_id,
        UserActivity.tenant_id == tenant_id,
    )
    activities = await session.execute(query)  # every row, as an object, with its JSON parsed
    all_activities = activities.scalars().all()

    csv_data = []
    csv_data.append(["timestamp", "action", "details"])

    for activity in all_activities:
        csv_data.append(
            [
                activity.timestamp.isoformat(),
                activity.action,
                json.dumps(activity.details),  # every row a second time, as text
            ]
        )

    # A third and a fourth time; and no quoting, so commas and newlines break the rows apart.
    csv_content = "\n".join([",".join(row) for row in csv_data])

    with open(output_path, "w", encoding="utf-8") as f:
        f.write(csv_content)

    return output_path
