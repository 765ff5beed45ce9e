"""Files that cannot be read: each says its line, and the other files are read all the same."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from tests.config.conftest import GATEWAY, Folder

BROKEN: list[tuple[bytes, str, str]] = [
    (b"handoff:\n\tsay: x\n", "line 2, column 1", "a tab"),
    (b"handoff:\n  say: a: b\n", "line 2, column 9", "a colon where no key can be"),
    (b"handoff:\n    say: a\n  then: b\n", "line 3, column 3", "indented unlike"),
    (b"handoff:\n  say: @x\n", "line 2, column 8", "a sign which YAML keeps"),
    (b"handoff:\n  say: 'x\n\n\n", "line 2, column 8", "a quote that is not closed"),
    (b'handoff:\n  say: "x\n  then: "pause"\n', "line 2, column 8", "a quote that is not closed"),
    (b"handoff:\n  when: [a, b\nassist: {}\n", "line 2, column 9", "not closed"),
    (b"handoff: {\n", "line 2, column 1", "not finished"),
    (b"handoff:\n  say: 'it's'\n", "line 2, column 12", "text after the end of a value"),
    (b'handoff:\n  say: "a\\q"\n', "line 2, column 11", "a backslash"),
    (b"handoff:\n  say: *x\n", "line 2, column 8", "an alias"),
    (b"handoff: {}\n---\nassist: {}\n", "line 2, column 1", "a second document"),
    (b"handoff\nassist: {}\n", "line 2, column 7", "a colon"),
    (b"handoff:\n  say: gr\xfc\xdfe\n", "line 2, column 10", "not UTF-8 (0xfc)"),
    ("handoff: {}".encode("utf-16"), "line 1, column 1", "UTF-8"),
    (b"handoff:\n  say: a\x07b\n", "line 2, column 9", "a control character (0x07)"),
    (b"handoff: {say: ${X}}\n", "line 1, column 17", "without quotes"),
]


@pytest.mark.parametrize(("raw", "place", "words"), BROKEN, ids=[str(each[0]) for each in BROKEN])
def test_the_line_is_told(folder: Folder, raw: bytes, place: str, words: str) -> None:
    fault = folder.write(bridge=GATEWAY, handoff=raw).fault()
    assert fault.startswith(f"handoff.yml, {place}\n")
    assert words in fault


BOMB = "\n".join(
    ["a: &a [x, x, x, x, x, x, x, x, x]"]
    + [
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
)


@pytest.mark.parametrize(
    "content",
    [BOMB, "&a [*a]", "a: &a {b: *a}", "&a {<<: *a}", "[" * 5000, "{a: " * 60 + "1" + "}" * 60],
    ids=["anchors", "itself", "itself in a key", "merged with itself", "deep", "deeper"],
)
def test_a_bomb_does_not_go_off(folder: Folder, content: str) -> None:
    fault = folder.write(bridge=GATEWAY, handoff=content).fault()
    assert "too much in it, or too deep" in fault


def test_a_huge_file_is_not_parsed(folder: Folder) -> None:
    assert (
        "at most 1,000,000 bytes" in folder.write(bridge=GATEWAY, handoff="#" * 1_000_001).fault()
    )


def test_an_anchor_may_be_set_anew(folder: Folder) -> None:
    handoff = "handoff: {say: &a x, unavailable: &a y, when: [{intent: *a}]}"
    rules = folder.write(bridge=GATEWAY, handoff=handoff).load().designer.handoff
    assert rules.when[0].intent == "y"


def test_a_file_that_may_not_be_read(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write(bridge=GATEWAY, handoff="")
    (folder.path / "handoff.yml").chmod(0)
    read = Path.read_bytes

    def as_anybody(path: Path) -> bytes:
        """Root, as whom tests may run, reads everything: refuse it what others are refused."""
        if not path.stat().st_mode & stat.S_IRUSR:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", as_anybody)
    assert "not readable: permission denied" in folder.fault()


def test_a_folder_in_place_of_a_file(folder: Folder) -> None:
    (folder.path / "handoff.yml").mkdir()
    assert folder.write(bridge=GATEWAY).fault() == (
        "handoff.yml\n    wrong         not readable: is a directory"
        "\n    hint          it must be a file that this user may read"
    )


def test_a_link_that_leads_nowhere_is_not_a_missing_file(folder: Folder) -> None:
    (folder.path / "handoff.yml").symlink_to(Path("gone.yml"))
    assert "the link leads nowhere" in folder.write(bridge=GATEWAY).fault()


def test_another_suffix_is_not_passed_over(folder: Folder) -> None:
    (folder.path / "handoff.yaml").write_text("handoff: {}")
    fault = folder.write(bridge=GATEWAY).fault()
    assert fault.startswith("handoff.yaml\n")
    assert "rename it to handoff.yml" in fault


def test_all_faults_of_all_files_come_at_once(folder: Folder) -> None:
    folder.write(
        bridge="gateway: {auth_mod: static}\nretention: {content: 1}\nwait: 1\n",
        handoff="handoff:\n\tsay: x\n",
        media="on_unknown_file: lnk\n",
    )
    titles = [each.splitlines()[0] for each in folder.faults({"BRIDGE__DELIVERY__WAIT": "50"})]
    assert titles == [
        "bridge.yml, line 1, column 1: gateway.url",
        "bridge.yml, line 1, column 11: gateway.auth_mod",
        "bridge.yml, line 2, column 22: retention.content",
        "bridge.yml, line 3, column 1: wait",
        "handoff.yml, line 2, column 1",
        "media.yml, line 1, column 18: on_unknown_file",
        "environment variable BRIDGE__DELIVERY__WAIT: delivery.wait",
    ]


def test_a_fault_is_a_paragraph(folder: Folder) -> None:
    assert folder.write(bridge=GATEWAY, handoff="handoff: {them: pause}").fault() == (
        "handoff.yml, line 1, column 11: handoff.them\n"
        "    found         a key that is not known here\n"
        "    allowed       when, say, unavailable, hours, closed, then, transfer, card,"
        " alert_after,\n"
        "                  cooldown\n"
        "    did you mean  then?"
    )


def test_what_is_shown_cannot_steer_a_terminal(folder: Folder) -> None:
    handoff = 'handoff: {then: "\\e[31mred\\u202E\\n%s"}' % ("x" * 200)
    fault = folder.write(bridge=GATEWAY, handoff=handoff).fault()
    assert '"\\x1b[31mred\\u202e\\nxxx' in fault
    assert "x" * 61 not in fault
