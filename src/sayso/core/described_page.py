"""``/docs``: the API's description for people. The viewer is Swagger UI out of a package: nothing comes from afar."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

#: Everything from here, no script in the page, nothing that could send what is typed in to anybody else.
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}
#: What the viewer's package holds, and what each file is.
_FILES: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sayso: the API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<noscript>This page needs JavaScript. <a href="openapi.json">openapi.json</a> says the same.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/page.js"></script>
</body>
</html>
"""
#: A bearer token that is typed in is kept as long as the page is open, and no longer.
_SCRIPT: Final = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: false,
  syntaxHighlight: { activated: false },
  validatorUrl: null,
});
"""


async def _page(_: Request) -> Response:
    return Response(_PAGE, media_type="text/html", headers=_HEADERS)


async def _script(_: Request) -> Response:
    return Response(_SCRIPT, media_type="text/javascript", headers=_HEADERS)


async def _file(request: Request) -> Response:
    name = Path(request.url.path).name
    with as_file(files("fastapi_swagger.resources") / name) as path:
        return FileResponse(path, media_type=_FILES[name], headers=_HEADERS)


#: No routes of the API: they are not described, and ask for no token.
ROUTES: Final = (
    Route("/docs", _page),
    Route("/docs/page.js", _script),
    *(Route(f"/docs/{name}", _file) for name in _FILES),
)
