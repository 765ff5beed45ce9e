"""A web server with the pages that a test gives it, on an origin of its own."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from typing_extensions import Self


class QuietServer(ThreadingHTTPServer):
    """Says nothing of windows that were closed in between."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report anything else."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Site:
    """Pages by path; a context manager."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.asked: list[str] = []
        handler = type("Handler", (_Pages,), {"site": self})
        self._server = QuietServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def put(self, path: str, text: str | bytes, kind: str = "text/html; charset=utf-8") -> str:
        """Serve a page; its address."""
        self.pages[path] = (kind, text.encode() if isinstance(text, str) else text)
        return self.origin + path

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Pages(BaseHTTPRequestHandler):
    site: Site

    def log_message(self, *_: Any) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.site.asked.append(path)
        kind, body = self.site.pages.get(path, ("text/plain", b""))
        self.send_response(200 if path in self.site.pages else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
