"""Planners: pure functions that turn a command and a snapshot into a plan.

Each planner has the signature ``(Snapshot, Command, Rules, now) -> Plan`` and raises BridgeError
for a command that it rejects. It answers a repeated command (``command_key``) as the first time,
checks access with ``assignments.own_call``, and returns ``consequences.plan`` if deliveries may
settle. SQL, HTTP, threads and the clock may not be used here. Read
``PLANNERS`` first, which maps each command to its planner, then ``changes``, which collects the
rows and effects of a plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.planners import (
    actions,
    alerts,
    assigning,
    assignments,
    call_commands,
    call_results,
    deliveries,
    desktop,
    inquiries,
    maintenance,
    offers,
    readers,
    sessions,
    suggestions,
    updates,
)
from bridge.planners.rules import Rules
from bridge.state import commands
from bridge.state.plan import Plan
from bridge.state.snapshot import Snapshot

__all__ = ["PLANNERS", "Planner", "Rules"]

Planner = Callable[[Snapshot, Any, Rules, float], Plan]

PLANNERS: Mapping[type[commands.Command], Planner] = {
    commands.CallAction: actions.call,
    commands.JudgeTurn: deliveries.judge,
    commands.WithdrawTurn: deliveries.withdraw,
    commands.AssignCall: assigning.assign,
    commands.EndCall: assignments.end,
    commands.HandBackCall: assignments.hand_back,
    commands.AnswerCall: call_commands.answer,
    commands.RejectCall: call_commands.reject,
    commands.ReleaseCall: call_commands.release,
    commands.TransferCall: call_commands.transfer,
    commands.JudgeRequest: call_results.judge,
    commands.PushGuid: sessions.push,
    commands.SignOut: sessions.sign_out,
    commands.ChooseState: readers.choose_state,
    commands.ChooseChats: readers.choose_chats,
    commands.PushEvents: readers.pushed,
    commands.AcceptSuggestion: suggestions.accept,
    commands.RejectSuggestion: suggestions.reject,
    commands.CopySuggestion: suggestions.copy,
    commands.OfferSuggestion: offers.offer,
    commands.ForwardMessage: desktop.forward,
    commands.NoteTyping: desktop.type_,
    commands.HideAssist: desktop.hide,
    commands.NotePresence: desktop.note_presence,
    commands.DisplaySuggestion: suggestions.display,
    commands.SendReply: suggestions.reply,
    commands.RetryDelivery: deliveries.retry,
    commands.DiscardDelivery: deliveries.discard,
    commands.SetSwitch: deliveries.set_switch,
    commands.RevokeTokens: maintenance.revoke,
    commands.SendingResult: deliveries.complete,
    commands.SignInResult: sessions.signed_in,
    commands.PollResult: sessions.polled,
    commands.ContinuePolling: sessions.go_on,
    commands.AgentAnswered: readers.answered,
    commands.RepeatRequest: readers.repeat,
    commands.UpdateResult: updates.complete,
    commands.AlertResult: alerts.complete,
    commands.RequestResult: call_results.complete,
    commands.BotAnswered: inquiries.complete,
    commands.DomainResult: updates.keep_domain,
    commands.ClaimDeliveries: deliveries.claim,
    commands.ClaimUpdates: updates.claim,
    commands.ClaimRequests: call_results.claim,
    commands.WakeAgent: deliveries.wake,
    commands.ExplainAgent: deliveries.explain,
    commands.ReleaseHeld: deliveries.release,
    commands.Recover: deliveries.recover,
    commands.CorrectTimes: deliveries.correct_times,
    commands.TakeOverSessions: sessions.take_over,
    commands.ReleasePolls: sessions.release_polls,
    commands.RaiseAlerts: alerts.raise_due,
    commands.ExpireInquiries: inquiries.expire,
    commands.ExpireSuggestions: maintenance.expire_suggestions,
    commands.LeadTask: maintenance.lead,
    commands.LeaveTask: maintenance.leave,
    commands.PruneRows: maintenance.prune,
    commands.DropRevocations: maintenance.drop_revocations,
    commands.PruneChanges: maintenance.prune_changes,
    commands.StopErased: maintenance.stop_erased,
    commands.EraseRows: maintenance.erase,
    commands.CheckStore: maintenance.check,
}
