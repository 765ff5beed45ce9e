"""The settings and the pure helpers that planners work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.config.settings import AgentSettings, BridgeSettings, HandoffSettings, ResponseName
from bridge.language import codes_of, response_in
from bridge.model import Owner, derive
from bridge.planners.compose import Composer
from bridge.planners.policy import Policy
from bridge.translate import Translator


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings and helpers that are fixed while a process runs.

    Attributes:
        asks_rasa: whether Rasa's HTTP API can be used (``rasa.url``).
        configuration: the version of the designer's settings.
    """

    bridge: BridgeSettings
    designer: HandoffSettings
    composer: Composer
    policy: Policy
    asks_rasa: bool
    configuration: str

    @classmethod
    def of(cls, bridge: BridgeSettings, designer: HandoffSettings, translator: Translator) -> Rules:
        """Build the rules from the settings."""
        return cls(
            bridge,
            designer,
            Composer(bridge, translator),
            Policy(resend=bridge.delivery.uncertain == "resend"),
            asks_rasa=bridge.rasa.url is not None,
            configuration=version_of(designer),
        )

    def languages(self, slots: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the language codes of a conversation, best first."""
        return codes_of(slots, self.designer)

    def response(self, names: ResponseName, slots: Mapping[str, Any]) -> str | None:
        """Return a conversation's response; None: say nothing; "": its languages have none."""
        return response_in(names, self.languages(slots))

    @property
    def most_waiting(self) -> int:
        """How many deliveries of one call may wait."""
        return self.bridge.delivery.max_waiting_per_call

    def agent(self, agent_id: str) -> AgentSettings:
        """Return the settings of an agent, or the defaults if it is not configured."""
        return self.bridge.agent(agent_id) or AgentSettings()

    def owner_of(self, agent_id: str) -> Owner:
        """Return who answers the customers of an agent's calls: the agent, or the bot itself."""
        return Owner(self.agent(agent_id).owner)


def version_of(designer: HandoffSettings) -> str:
    """Return a short name of the designer's configuration: the same settings have the same."""
    return derive("configuration", designer.model_dump_json())[:8]
