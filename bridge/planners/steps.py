"""The step of an inquiry, which is stored before it is taken; see ``inquiries``."""

from __future__ import annotations

from dataclasses import replace

from bridge.state.inquiries import InquiryStep
from bridge.state.records import RasaUpdate


def step_of(update: RasaUpdate) -> InquiryStep:
    """Return the step of an inquiry, which is the one that was taken last."""
    return InquiryStep(update.body.get("step", InquiryStep.ASK.value))


def at_step(update: RasaUpdate, step: InquiryStep) -> RasaUpdate:
    """Return an inquiry at a step."""
    return replace(update, body={**update.body, "step": step.value})


def unsaid(update: RasaUpdate) -> RasaUpdate:
    """Return an inquiry whose attempt certainly did not put the message."""
    return at_step(update, InquiryStep.ASK) if step_of(update) is InquiryStep.SAY else update
