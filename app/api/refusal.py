"""How a request that does not fit its schema is refused."""

import json

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError

_NOT_JSON = "The body must be declared as JSON: send the header 'Content-Type: application/json'"


async def refuse(_request: Request, error: RequestValidationError) -> Response:
    r"""Answer 422 with what is wrong and where, but not with the input itself.

    Echoed, a large input would be sent back whole, and a lone surrogate (valid in JSON) has no UTF-8, so
    that the answer itself would fail; hence ASCII, too.
    """
    # FastAPI leaves a body in bytes when its Content-Type isn't JSON, and then complains of its shape.
    if isinstance(error.body, bytes):
        detail = [{"type": "content_type", "loc": ["header", "content-type"], "msg": _NOT_JSON}]
    else:
        detail = [{key: problem[key] for key in ("type", "loc", "msg")} for problem in error.errors()]
    return Response(json.dumps({"detail": detail}), status_code=422, media_type="application/json")
