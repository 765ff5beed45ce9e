"""Registers the web edge with Rasa's SDK, as an object: no global module name is claimed.

The SDK calls the hook in the main process, before anything listens, and in each worker.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import sys
from typing import Any

import pluggy
from rasa_sdk import utils
from rasa_sdk.endpoint import create_argument_parser
from rasa_sdk.plugin import plugin_manager

from bridge import runtime, web
from bridge.errors import BridgeError

_NAME = "rasa-cc-bridge"
_WRONG_CONFIGURATION = 2  # the exit code

_hook = pluggy.HookimplMarker("rasa_sdk")


class WebEdge:
    """What the SDK's plugin manager is given."""

    @_hook
    def attach_sanic_app_extensions(self, app: Any) -> None:
        """Attach the edge; in the main process, see first that the bridge can be opened."""
        if multiprocessing.parent_process() is None:
            _prepare()
        else:
            _log_as_the_main_process()
        web.attach(app)


def register() -> None:
    """Register the edge, once a process."""
    manager = plugin_manager()
    if not manager.has_plugin(_NAME):
        manager.register(WebEdge(), _NAME)


def _prepare() -> None:
    try:
        runtime.prepare()
    except BridgeError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(_WRONG_CONFIGURATION)


def _log_as_the_main_process() -> None:
    """The SDK sets logging up in the main process only: its workers would say no word at INFO."""
    if logging.getLogger().handlers:
        return
    with contextlib.suppress(SystemExit):  # started by another program, with other arguments
        options, _ = create_argument_parser().parse_known_args()  # type: ignore[no-untyped-call]
        utils.configure_colored_logging(options.loglevel)  # type: ignore[no-untyped-call]
        utils.configure_file_logging(
            logging.getLogger("rasa_sdk"),
            options.log_file,
            options.loglevel,
            options.logging_config_file,
        )
    utils.update_sanic_log_level()
