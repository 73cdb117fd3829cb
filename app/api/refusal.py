"""How a request that does not fit its schema is refused."""

import json

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError


async def refuse(_request: Request, error: RequestValidationError) -> Response:
    r"""Answer 422 with what is wrong and where, but not with the input itself.

    Echoed, a large input would be sent back whole, and a lone surrogate (valid in JSON) has no UTF-8, so
    that the answer itself would fail; hence ASCII, too.
    """
    detail = [{key: problem[key] for key in ("type", "loc", "msg")} for problem in error.errors()]
    return Response(json.dumps({"detail": detail}), status_code=422, media_type="application/json")
