"""The event stream while processes of the server come and go."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from tests.web import family
from tests.web.reading import Event, Reader
from tests.web.serving import ActionServer, assignment

STOPPED = 5.0  # seconds; an open stream does not keep a server from stopping


def test_readers_of_every_worker_hear_of_all_also_after_a_death(tmp_path: Path) -> None:
    environ = {"ACTION_SERVER_SANIC_WORKERS": "2"}
    with ActionServer(tmp_path, environ=environ) as server, ExitStack() as opened:
        readers = [opened.enter_context(Reader(server)) for _ in range(8)]

        def all_hear_of(sender_id: str) -> None:
            body = assignment(call_id=f"call-{sender_id}")
            server.until(
                lambda: server.put(f"/bridge/assignments/{sender_id}", json=body).ok  # core is back
            )

            def of_it(event: Event) -> bool:
                return event.data.get("sender_id") == sender_id

            found = {reader.until(of_it).id for reader in readers}
            assert len(found) == 1

        all_hear_of("anna")
        family.kill(server, "core")
        all_hear_of("ben")
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < STOPPED
        assert all(reader.ended.is_set() for reader in readers)
