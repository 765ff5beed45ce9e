"""Names that Rasa defines itself: actions, intents, slots, slot mappings and keys of its files."""

from __future__ import annotations

INTENTS = frozenset(
    {
        "restart",
        "back",
        "out_of_scope",
        "session_start",
        "session_end",
        "silence_timeout",
        "nlu_fallback",
    }
)
ACTIONS = frozenset(
    {
        "...",
        "action_back",
        "action_cancel_flow",
        "action_cancel_interrupted_flows",
        "action_clarify_flows",
        "action_clean_stack",
        "action_continue_interrupted_flow",
        "action_correct_flow_slot",
        "action_deactivate_loop",
        "action_default_ask_affirmation",
        "action_default_ask_rephrase",
        "action_default_fallback",
        "action_extract_slots",
        "action_hangup",
        "action_listen",
        "action_repeat_bot_messages",
        "action_reset_routing",
        "action_restart",
        "action_revert_fallback_events",
        "action_run_slot_rejections",
        "action_send_text",
        "action_session_start",
        "action_trigger_chitchat",
        "action_trigger_search",
        "action_two_stage_fallback",
        "action_unlikely_intent",
        "action_validate_slot_mappings",
    }
)
SLOTS = frozenset(
    {"requested_slot", "session_started_metadata", "language", "route_session_to_calm"}
)
MAPPINGS = (
    "from_entity",
    "from_intent",
    "from_trigger_intent",
    "from_text",
    "from_llm",
    "custom",
    "controlled",
)
SLOT_TYPES = ("text", "bool", "categorical", "float", "list", "any")
VARIATION_KEYS = (
    "text",
    "image",
    "buttons",
    "custom",
    "attachment",
    "elements",
    "quick_replies",
    "channel",
    "condition",
    "metadata",
    "id",
    "button_type",
    "translation",
    "allow_interruptions",
)
DOMAIN_KEYS = (
    "version",
    "intents",
    "entities",
    "slots",
    "responses",
    "actions",
    "forms",
    "e2e_actions",
    "session_config",
    "config",
    "state_machine",
)
STEP_KEYS = (
    "intent",
    "user",
    "entities",
    "action",
    "bot",
    "slot_was_set",
    "active_loop",
    "or",
    "checkpoint",
    "metadata",
    "name",
)
RULE_KEYS = (
    "rule",
    "story",
    "steps",
    "condition",
    "conversation_start",
    "wait_for_user_input",
    "metadata",
)
FLOW_KEYS = (
    "name",
    "description",
    "if",
    "nlu_trigger",
    "always_include_in_prompt",
    "persisted_slots",
    "run_pattern_completed",
    "steps",
)
BUTTON_KEYS = ("title", "payload", "type", "url", "translation")
# The names that a `command` condition can match (Rasa Pro), normalised.
COMMANDS = (
    "start_flow",
    "cancel_flow",
    "set_slot",
    "correct_slots",
    "clarify",
    "skip_question",
    "chitchat",
    "knowledge",
    "human_handoff",
    "error",
    "cannot_handle",
    "change_flow",
    "noop",
    "no_op",
    "restart",
    "session_start",
    "session_end",
    "repeat_bot_messages",
    "user_silence",
    "handle_code_change",
    "free_form_answer",
)
