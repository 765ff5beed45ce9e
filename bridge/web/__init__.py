"""The Sanic edge: it converts between HTTP and commands, and decides nothing.

Everything is attached to the action server's own app, whose routes are Rasa's SDK's.
"""

from __future__ import annotations

from typing import Any

from sanic import Sanic

from bridge.web import admission, api, errors, lifecycle, logs


def attach(app: Sanic[Any, Any]) -> None:
    """Add the bridge's routes, guards, error answers and listeners to ``app``.

    Opens nothing: that is the work of the listeners, in the process that serves.
    """
    logs.install()
    errors.install(app)
    admission.install(app)
    lifecycle.install(app)
    app.blueprint(api.blueprint())
