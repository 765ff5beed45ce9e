"""What is expected while an agent has Ben's call and the bot helps, and when it is back. Pure."""

from __future__ import annotations

import re

from bridge.cli.demo import scenes
from bridge.cli.demo.evidence import Clicked, Evidence, Played
from bridge.cli.demo.judge.record import (
    CONFLICT,
    GOOD,
    Check,
    Judged,
    Words,
    count,
    is_addressed,
    messages_of,
    plain,
    senders,
    sent,
)
from bridge.cli.demo.loopback import Json
from bridge.cli.demo.scenes import BEN

_RESPONSE = "utter_price"


def _suggests(evidence: Evidence, words: Words) -> Judged:
    scene = evidence.played[scenes.ACCEPTED]
    offered = scene.offered
    found = f"{count(len(offered), 'suggestion')}, {sent(scene.wire)}"
    met = _is_quiet(scene) and not scene.responses and len(offered) == 1
    met = met and _is_of(offered[0], scene) and offered[0]["text"] in words.prices
    return Judged("Anna is offered what the bot would say", met, found)


def _sends_what_was_accepted(evidence: Evidence, _words: Words) -> Judged:
    scene = evidence.played[scenes.ACCEPTED]
    clicked = _click(scene, scenes.ACCEPTED)
    met = (
        clicked is not None
        and len(scene.offered) == 1
        and _is_settled(clicked, "accepted", scene.offered[0])
        and _arrived(evidence, clicked, scene.offered[0]["text"])
    )
    return Judged("What she accepts goes out in her name", met, _outcome(clicked))


def _supersedes(evidence: Evidence, _words: Words) -> Judged:
    before, scene = evidence.played[scenes.OPEN], evidence.played[scenes.EDITED]
    clicked = _click(scene, scenes.OPEN)
    met = (
        clicked is not None
        and clicked.status == CONFLICT
        and (clicked.answer.get("error") or {}).get("code") == "settled"
        and not (clicked.wire or clicked.got)
        and all(_is_quiet(each) and len(each.offered) == 1 for each in (before, scene))
        and _is_of(before.offered[0], before)
        and before.offered[0]["id"] != scene.offered[0]["id"]
    )
    return Judged("A newer message supersedes an offer", met, _outcome(clicked))


def _sends_what_was_written(evidence: Evidence, words: Words) -> Judged:
    scene = evidence.played[scenes.EDITED]
    clicked = _click(scene, scenes.EDITED)
    met = (
        clicked is not None
        and clicked.text is not None
        and clicked.text not in words.prices
        and len(scene.offered) == 1
        and _is_of(scene.offered[0], scene)
        and _is_settled(clicked, "edited", scene.offered[0])
        and clicked.answer.get("edited_text") == clicked.text
        and _arrived(evidence, clicked, clicked.text)
    )
    return Judged("What she rewrites goes out in her words", met, _outcome(clicked))


def _hands_back(evidence: Evidence, _words: Words) -> Judged:
    scene = evidence.played[scenes.HANDED_BACK]
    slots = dict(scene.slots)
    summary = str(slots.pop("handoff_summary", None))
    got = count(len(messages_of(evidence, BEN)), "message")
    expected = {
        "handoff_state": "bot",
        "handoff_agent_id": None,
        "handoff_call_id": None,
        "handoff_delivery": "none",
        "handoff_error": None,
    }
    told = rf"Agent {scenes.AGENT} had the conversation for .+ and sent {got}\."
    met = (
        slots == expected
        and re.fullmatch(told, summary) is not None
        and not (scene.steps or scene.responses or scene.wire or scene.offered)
        and scene.owner == "bot"
    )
    found = f"{slots.get('handoff_state')}, the call is the {scene.owner}'s"
    return Judged("Rasa is told the bot has him again", met, found)


def _answers(evidence: Evidence, words: Words) -> Judged:
    scene = evidence.played[scenes.BOT]
    responses = [str(each.get("response")) for each in scene.responses]
    met = (
        _is_quiet(scene)
        and responses == [_RESPONSE]
        and len(scene.uttered) == 1
        and scene.uttered[0] in words.prices
        and not scene.offered
        and scene.owner == "bot"
    )
    found = ", ".join([*responses, sent(scene.wire)])
    return Judged("The bot then answers on Rasa's channel", met, found)


def _tells_no_more(evidence: Evidence, _words: Words) -> Judged:
    """The bridge's own list too: what it had still to send would reach him after the show."""
    got = messages_of(evidence, BEN)
    codes = [each["code"] for each in got]
    clicks = [each for scene in evidence.played.values() for each in scene.clicks]
    approved = [code for each in clicks for code in _codes(each)]
    deliveries = evidence.played[scenes.BOT].deliveries
    met = (
        bool(codes)
        and codes == approved == [each["message_code"] for each in deliveries]
        and all(each["state"] == "delivered" for each in deliveries)
    )
    return Judged("Ben gets what she sent, and no more", met, senders(got))


CHECKS: tuple[Check, ...] = (
    _suggests,
    _sends_what_was_accepted,
    _supersedes,
    _sends_what_was_written,
    _hands_back,
    _answers,
    _tells_no_more,
)


def _is_quiet(scene: Played) -> bool:
    """Whether Rasa goes on as it is, and nothing reaches the gateway without a click."""
    return scene.status == GOOD and not (scene.events or scene.wire or scene.got)


def _is_of(suggestion: Json, scene: Played) -> bool:
    """Whether a suggestion says rightly whose it is and where it comes from."""
    source = suggestion.get("source") or {}
    found = (source.get("kind"), source.get("intent"), source.get("confidence"))
    return (
        found == ("assist", scene.intent["name"], scene.intent["confidence"])
        and source.get("response") == _RESPONSE
        and suggestion.get("agent_id") == scenes.AGENT
        and suggestion.get("call_id") == BEN.call_id
    )


def _click(scene: Played, of: str) -> Clicked | None:
    return next((each for each in scene.clicks if each.of == of), None)


def _is_settled(clicked: Clicked, state: str, suggestion: Json) -> bool:
    answer = clicked.answer
    return (
        clicked.status == GOOD
        and answer.get("id") == suggestion["id"]
        and answer.get("text") == suggestion["text"]
        and (answer.get("state"), answer.get("settled_by")) == (state, scenes.AGENT)
    )


def _arrived(evidence: Evidence, clicked: Clicked, text: str) -> bool:
    """Whether the gateway's record has, under the click's code, these words and once."""
    codes = _codes(clicked)
    got = [each for each in messages_of(evidence, BEN) if each["code"] in codes]
    return (
        len(got) == len(codes) == 1
        and [each["code"] for each in clicked.got] == codes
        and is_addressed(got[0], BEN)
        and plain(got) == text.split()
    )


def _codes(clicked: Clicked) -> list[str]:
    return [each["message_code"] for each in clicked.answer.get("deliveries") or ()]


def _outcome(clicked: Clicked | None) -> str:
    if clicked is None:
        return "nothing to click"
    error = clicked.answer.get("error") or {}
    word = error.get("code") or clicked.answer.get("state")
    return f"{word}, {senders(clicked.got)}"
