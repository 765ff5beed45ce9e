"""The HTTP edge, on Sanic: converts between HTTP requests and commands.

No decisions, SQL or gateway calls belong here; those are the core's, the store's and the senders'.
The routes and hooks are attached to the action server's own Sanic app, which Rasa's SDK creates.
Read ``admission.py`` first, then ``api/parameters.py``.
"""

from __future__ import annotations

from typing import Any

from sanic import Sanic

from bridge.web import admission, api, cors, errors, lifecycle, logs, methods, page


def attach(app: Sanic[Any, Any]) -> None:
    """Add the bridge's routes, request guards, error handler and listeners to ``app``.

    Does not open the bridge: the listeners do, in the worker process.
    """
    logs.install()
    errors.install(app)
    cors.install(app)
    methods.install(app)
    admission.install(app)
    lifecycle.install(app)
    app.blueprint(api.blueprint())
    page.install(app)
