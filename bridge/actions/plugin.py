"""Registers the web edge as a plugin of Rasa's SDK.

The plugin is an object, so that it occupies no top-level module name. The SDK calls the hook in
the main process, before anything listens, and in each worker.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import sys
from argparse import Namespace
from typing import Any

import pluggy
from rasa_sdk import utils
from rasa_sdk.endpoint import create_argument_parser
from rasa_sdk.plugin import plugin_manager

from bridge import log_records
from bridge.process import workers
from bridge.process.supervisor import CoreFailedError, Supervisor, address, announce

_NAME = "rasa-cc-bridge"
_WRONG_CONFIGURATION = 2  # the exit code

_hook = pluggy.HookimplMarker("rasa_sdk")


class WebEdge:
    """The plugin object for the SDK's plugin manager."""

    @_hook
    def attach_sanic_app_extensions(self, app: Any) -> None:
        """Attach the edge in a worker; start the core and the supervision in the main process."""
        if multiprocessing.parent_process() is None:
            workers.hold_signals()
            workers.install(app, _start_core())
            return
        # Not needed in the main process.
        from bridge import runtime, web  # noqa: PLC0415
        from bridge.actions import answering  # noqa: F401, PLC0415 - preload for the first request

        log_records.install(worker=_worker_name())
        _log_as_the_main_process()
        if (where := address()) is not None:
            runtime.use_core(where)
        web.attach(app)


def register() -> None:
    """Register the edge, once per process."""
    log_records.install()
    manager = plugin_manager()
    if not manager.has_plugin(_NAME):
        manager.register(WebEdge(), _NAME)


def _start_core() -> Supervisor:
    options = _options()
    supervisor = Supervisor(
        level=logging.getLogger().getEffectiveLevel(),
        logging_file=getattr(options, "logging_config_file", None),
    )
    try:
        supervisor.start()
    except CoreFailedError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(_WRONG_CONFIGURATION)
    announce(supervisor.address)
    return supervisor


def _options() -> Namespace | None:
    """Parse the SDK's command line; return None in another program with other arguments."""
    options: Namespace | None = None
    with contextlib.suppress(SystemExit):
        options, _ = create_argument_parser().parse_known_args()  # type: ignore[no-untyped-call]
    return options


def _worker_name() -> str:
    """Return the number of this worker; Sanic calls its process ``Sanic-Server-NUMBER-0``."""
    parts = multiprocessing.current_process().name.split("-")
    return next((part for part in parts if part.isdigit()), "0")


def _log_as_the_main_process() -> None:
    """Configure logging as in the main process; the SDK leaves its workers without INFO logs."""
    options = _options()
    if logging.getLogger().handlers:
        return
    if options is not None:
        utils.configure_colored_logging(options.loglevel)  # type: ignore[no-untyped-call]
        utils.configure_file_logging(
            logging.getLogger("rasa_sdk"),
            options.log_file,
            options.loglevel,
            options.logging_config_file,
        )
    utils.update_sanic_log_level()
