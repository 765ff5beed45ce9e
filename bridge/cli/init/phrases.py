"""How customers ask for a person, in the languages of the bridge's own texts."""

from __future__ import annotations

PHRASES: dict[str, tuple[str, ...]] = {
    "en": (
        "human",
        "real person",
        "I want to talk to a human",
        "can I speak to an agent",
        "connect me with a real person",
        "a human please",
    ),
    "de": (
        "mensch",
        "mitarbeiter",
        "ich möchte mit einem menschen sprechen",
        "kann ich mit einem mitarbeiter sprechen",
        "verbinden sie mich bitte mit einer person",
    ),
    "fr": (
        "conseiller",
        "être humain",
        "je veux parler à un conseiller",
        "puis-je parler à quelqu'un",
        "passez-moi une vraie personne",
    ),
    "es": (
        "agente",
        "persona real",
        "quiero hablar con una persona",
        "puedo hablar con un agente",
        "páseme con alguien del equipo",
    ),
    "zh": (
        "人工客服",
        "转人工",
        "我想和真人说话",
        "请帮我转接客服",
    ),
}

# What the bot says after a message that it did not understand.
REPHRASE: dict[str, str] = {
    "en": "Sorry, I did not get that. Could you say it in other words?",
    "de": "Das habe ich leider nicht verstanden. Können Sie es anders sagen?",
    "fr": "Désolé, je n'ai pas compris. Pouvez-vous le dire autrement ?",
    "es": "Lo siento, no le he entendido. ¿Puede decirlo de otra manera?",
    "zh": "抱歉，我没有听懂。您能换一种说法吗？",
}
