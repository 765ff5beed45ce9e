"""Conversations that ask for a person, all at once, from a process of their own.

Reads one JSON object on standard input: port, bodies (a file with one JSON body a line) and
conversations (how many at a time). Prints one: seconds, answers (a count by status), milliseconds
(each turn's).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any


async def _converse(
    port: int, bodies: asyncio.Queue[bytes], took: list[float], codes: dict[int, int]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not bodies.empty():
        body = bodies.get_nowait()
        begun = time.perf_counter()
        writer.write(
            b"POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        await reader.readexactly(length)
        took.append((time.perf_counter() - begun) * 1000)
        codes[status] = codes.get(status, 0) + 1
    writer.close()


async def _run(given: dict[str, Any], lines: list[bytes]) -> dict[str, Any]:
    bodies: asyncio.Queue[bytes] = asyncio.Queue()
    for line in lines:
        bodies.put_nowait(line)
    took: list[float] = []
    codes: dict[int, int] = {}
    begun = time.perf_counter()
    await asyncio.gather(
        *(_converse(given["port"], bodies, took, codes) for _ in range(given["conversations"]))
    )
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "answers": codes, "milliseconds": took}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    ready = Path(asked["bodies"]).read_bytes().splitlines()
    print(json.dumps(asyncio.run(_run(asked, ready))))
