"""The slots that the bridge sets, and the values that it sets them to."""

from __future__ import annotations

from collections.abc import Mapping

OURS = (
    "handoff_state",
    "handoff_agent_id",
    "handoff_call_id",
    "handoff_delivery",
    "handoff_error",
    "handoff_summary",
)
VALUES: Mapping[str, tuple[str, ...]] = {
    "handoff_state": ("bot", "handoff", "assist"),
    "handoff_delivery": ("delivered", "pending", "failed", "none"),
    "handoff_error": (
        "no_assignment",
        "invalid_assignment",
        "untrusted",
        "closed",
        "closed_hours",
        "cooldown",
        "agent_signed_out",
        "gateway_unreachable",
        "rejected",
        "not_configured",
        "store_unavailable",
    ),
}
