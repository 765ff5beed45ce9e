"""Read Slack's Block Kit and its older attachments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.config.media import Kind
from bridge.translate.parts import Button, Form, Part
from bridge.translate.reading import pick
from bridge.translate.reading.flow import Flow
from bridge.translate.reading.pick import Json

_DEEPEST = 8  # levels of nested rich text
_CONTROLS = ("elements", "options", "option_groups")


def is_slack(value: Json) -> bool:
    """Recognise ``{blocks: [...]}`` or attachments with Slack's fields."""
    if pick.is_list(value.get("blocks")):
        return True
    fields = {"fallback", "pretext", "title_link", "mrkdwn_in", "callback_id", "actions", "blocks"}
    return any(
        pick.is_object(each) and fields & each.keys() for each in _list(value.get("attachments"))
    )


def read(value: Json) -> Iterator[Part]:
    """Read a message; next to blocks, ``text`` is ignored: Slack shows it in notifications only."""
    flow = Flow(Form.SLACK)
    blocks = _list(value.get("blocks"))
    if not blocks:
        flow.say(value.get("text"))
    for block in blocks:
        if pick.is_object(block):
            _block(flow, block)
    for attachment in _list(value.get("attachments")):
        if pick.is_object(attachment):
            _attachment(flow, attachment)
    parts = list(flow.parts())
    if not parts:
        flow.say(value.get("text"))
        parts = list(flow.parts())
    yield from parts


def _list(value: Any) -> list[Any]:
    return pick.listed(value) if pick.is_list(value) else []


def _block(flow: Flow, block: Json) -> None:
    kind = block.get("type")
    if kind == "image":
        flow.file(Kind.IMAGE, block, "image_url", "slack_file", name=block.get("alt_text"))
        flow.say(block.get("title"))
    elif kind == "video":
        flow.say(block.get("description"))
        flow.link(pick.address(block, "title_url", "video_url"), pick.title(block.get("title")))
    elif kind in ("context", "rich_text"):
        _elements(flow, block)
    else:
        flow.say(block.get("text") or block.get("label"))
        for each in _list(block.get("fields")):
            flow.say(each)
        _controls(flow, block)


def _elements(flow: Flow, block: Json) -> None:
    """Read a context or rich text block: a sequence of texts and pictures."""
    for each in _list(block.get("elements")):
        if pick.is_object(each) and each.get("type") == "image":
            flow.file(Kind.IMAGE, each, "image_url", name=each.get("alt_text"))
        elif pick.is_object(each):
            flow.say(each.get("text") or "".join(_rich(each, 0)))


def _rich(element: Any, deep: int) -> Iterator[str]:
    if not pick.is_object(element) or deep > _DEEPEST:
        return
    kind = element.get("type")
    if kind == "link":
        url, words = pick.address(element, "url"), pick.title(element.get("text"))
        yield f"<{url}|{words}>" if words else url
    elif kind == "rich_text_list":
        for each in _list(element.get("elements")):
            yield "- " + "".join(_rich(each, deep + 1)) + "\n"
    elif isinstance(text := element.get("text"), str):
        yield text  # not stripped: its spaces separate it from its neighbours
    else:
        for each in _list(element.get("elements")):
            yield from _rich(each, deep + 1)


def _controls(flow: Flow, block: Json) -> None:
    """Read buttons and menus: a block's elements, its accessory, or its input element."""
    offered = list(_list(block.get("elements")))
    beside = block.get("accessory") or block.get("element")
    if pick.is_object(beside) and beside.get("type") == "image":
        flow.file(Kind.IMAGE, beside, "image_url", name=beside.get("alt_text"))
    elif pick.is_object(beside):
        offered.append(beside)
    groups = [_offer(each) for each in offered if pick.is_object(each)]
    flow.choose(button for each in groups for button in each)


def _offer(control: Json) -> tuple[Button, ...]:
    if any(pick.is_list(control.get(key)) for key in _CONTROLS):
        return tuple(button for key in _CONTROLS for button in pick.buttons(control.get(key)))
    return pick.buttons(control) if control.get("type") in (None, "button") else ()


def _attachment(flow: Flow, attachment: Json) -> None:
    flow.say(attachment.get("pretext"))
    heading, link = pick.title(attachment.get("title")), pick.address(attachment, "title_link")
    flow.say(f"<{link}|{heading}>" if heading and link else heading)
    flow.say(attachment.get("text"))
    for each in _list(attachment.get("fields")):
        if pick.is_object(each):
            flow.say(
                "\n".join(filter(None, (pick.title(each.get("title")), pick.first(each, "value"))))
            )
    for block in _list(attachment.get("blocks")):
        if pick.is_object(block):
            _block(flow, block)
    flow.file(Kind.IMAGE, attachment, "image_url", "thumb_url")
    flow.choose(pick.buttons(attachment.get("actions")))
    flow.say(attachment.get("footer"))
