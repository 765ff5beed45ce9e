"""The settings that planners decide by, and the pure parts that they use."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.config.settings import AgentSettings, BridgeSettings, HandoffSettings
from bridge.planners.compose import Composer
from bridge.planners.policy import Policy
from bridge.translate import Translator


@dataclass(frozen=True, slots=True)
class Rules:
    """What does not change while a process runs.

    Attributes:
        asks_rasa: whether Rasa's HTTP API can be used (``rasa.url``).
    """

    bridge: BridgeSettings
    designer: HandoffSettings
    composer: Composer
    policy: Policy
    asks_rasa: bool

    @classmethod
    def of(cls, bridge: BridgeSettings, designer: HandoffSettings, translator: Translator) -> Rules:
        """The rules of these settings."""
        return cls(
            bridge,
            designer,
            Composer(bridge, translator),
            Policy(resend=bridge.delivery.uncertain == "resend"),
            asks_rasa=bridge.rasa.url is not None,
        )

    @property
    def most_waiting(self) -> int:
        """How many deliveries of a call may wait."""
        return self.bridge.delivery.max_waiting_per_call

    def agent(self, agent_id: str) -> AgentSettings:
        """An agent's entry, or an empty one."""
        return self.bridge.agent(agent_id) or AgentSettings()
