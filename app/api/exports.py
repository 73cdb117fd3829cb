"""Ask for an export, follow it, fetch it."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from app.auth import CurrentTenant
from app.jobs.job import Job, State
from app.service import CurrentService

_RETRY_AFTER = {"Retry-After": "1"}

router = APIRouter(prefix="/api/v1/exports")


class ExportRequest(BaseModel):
    """Whose activity to export. Any other field is refused: a tenant cannot be named, only proved."""

    model_config = ConfigDict(extra="forbid")

    user_id: Annotated[str, Field(min_length=1, max_length=200)]


class Export(BaseModel):
    """An export as its owner sees it: `rows` and `bytes` once it is done, `error` if it failed."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    user_id: str
    state: State
    rows: int | None
    bytes: int | None
    error: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None


@router.post("", status_code=202)
def create_export(
    body: ExportRequest,
    tenant_id: CurrentTenant,
    service: CurrentService,
    request: Request,
    response: Response,
) -> Export:
    """Queue an export of one user's activity; follow it at the Location."""
    job = service.jobs.add(tenant_id, body.user_id)
    service.workers.wake()
    response.headers["Location"] = str(request.app.url_path_for("get_export", export_id=job.id))
    response.headers.update(_RETRY_AFTER)
    return Export.model_validate(job)


@router.get("")
def list_exports(
    tenant_id: CurrentTenant, service: CurrentService, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> list[Export]:
    """Return the tenant's latest exports, newest first."""
    return [Export.model_validate(job) for job in service.jobs.newest(tenant_id, limit)]


@router.get("/{export_id}")
def get_export(
    export_id: str, tenant_id: CurrentTenant, service: CurrentService, response: Response
) -> Export:
    """Return where an export stands; Retry-After is set while there is something to wait for."""
    job = _find(service, tenant_id, export_id)
    if job.state in {State.QUEUED, State.RUNNING}:
        response.headers.update(_RETRY_AFTER)
    return Export.model_validate(job)


@router.get("/{export_id}/download", response_class=FileResponse)
def download_export(export_id: str, tenant_id: CurrentTenant, service: CurrentService) -> FileResponse:
    """Return the CSV file of an export that is done."""
    job = _find(service, tenant_id, export_id)
    match job.state:
        case State.QUEUED | State.RUNNING:
            raise HTTPException(409, f"this export is {job.state}: ask again when it is done", _RETRY_AFTER)
        case State.FAILED:
            raise HTTPException(409, f"this export failed ({job.error}): create a new one")
    path = service.settings.directory / job.file_name
    if not path.is_file():
        raise HTTPException(410, "the file of this export is gone: create a new one")
    return FileResponse(
        path,
        media_type="text/csv; charset=utf-8",
        filename=f"export-{job.file_name}",
        headers={"Cache-Control": "private", "X-Content-Type-Options": "nosniff"},
    )


def _find(service: CurrentService, tenant_id: str, export_id: str) -> Job:
    job = service.jobs.get(tenant_id, export_id)
    if job is None:
        raise HTTPException(404, "no such export")
    return job
