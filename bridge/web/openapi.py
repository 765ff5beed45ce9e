"""The API's description, ``openapi.json``: made from the routes and the pydantic models. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bridge.config.operators import HIGHEST_AGENT_ID
from bridge.gateway import wire
from bridge.web import digits, paths, schemas
from bridge.web.api.routes import IN_PATHS, Route
from bridge.web.auth import Access
from bridge.web.requests import (
    AGENT_ID,
    AcceptRequest,
    AssignmentRequest,
    ChatsRequest,
    EventsBody,
    ForwardedBody,
    GuidRequest,
    HiddenBody,
    ModeRequest,
    NoFields,
    OfferBody,
    RejectRequest,
    ReplyRequest,
    RequestBody,
    RetryRequest,
    StateRequest,
    TokenRequest,
    TransferBody,
)

Model = type[BaseModel]
_JSON = "application/json"
_NO_BODY = "no content"
_PROMETHEUS = "text/plain"
_ALSO = {_PROMETHEUS: "application/openmetrics-text"}
_REF = "#/components/schemas/{model}"
_AGENT_ID = "AgentId"
_PARAMETER = re.compile(r"<(\w+):str>")
# The errors that any route may answer with.
_ERRORS = (400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 502, 503)

_AT_THE_GATEWAY: dict[int, Model | str] = {200: schemas.CallBody, 202: schemas.CallBody}

# By method and path: the request's model, and the responses by status.
BODIES: dict[str, tuple[Model | None, dict[int, Model | str]]] = {
    "PUT /assignments/<sender_id:str>": (
        AssignmentRequest,
        {200: schemas.AssignedBody, 201: schemas.AssignedBody},
    ),
    "DELETE /assignments/<sender_id:str>": (None, {204: _NO_BODY}),
    "GET /assist": (None, {200: schemas.AssistBody}),
    "PUT /assist": (ModeRequest, {200: schemas.AssistBody}),
    "GET /calls": (None, {200: schemas.CallList}),
    "GET /calls/<call_id:str>": (None, {200: schemas.CallDetailBody}),
    "POST /calls/<call_id:str>/replies": (
        ReplyRequest,
        {200: schemas.SentReplyBody, 201: schemas.SentReplyBody},
    ),
    "POST /calls/<call_id:str>/handback": (NoFields, {200: schemas.HandedBackBody}),
    "POST /calls/<call_id:str>/answer": (NoFields, _AT_THE_GATEWAY),
    "POST /calls/<call_id:str>/reject": (NoFields, _AT_THE_GATEWAY),
    "POST /calls/<call_id:str>/release": (NoFields, _AT_THE_GATEWAY),
    "POST /calls/<call_id:str>/transfer": (TransferBody, _AT_THE_GATEWAY),
    "POST /calls/<call_id:str>/messages": (
        ForwardedBody,
        {200: schemas.MessageBody, 201: schemas.MessageBody},
    ),
    "POST /calls/<call_id:str>/typing": (NoFields, {204: _NO_BODY}),
    "PUT /calls/<call_id:str>/assist": (HiddenBody, {200: schemas.CallBody}),
    "GET /deliveries": (None, {200: schemas.DeliveryList}),
    "GET /deliveries/<delivery_id:str>": (None, {200: schemas.DeliveryBody}),
    "POST /deliveries/<delivery_id:str>/retry": (RetryRequest, {200: schemas.DeliveryBody}),
    "POST /deliveries/<delivery_id:str>/discard": (NoFields, {200: schemas.DeliveryBody}),
    "GET /health": (None, {200: schemas.HealthBody}),
    "GET /ready": (None, {200: schemas.ReadinessBody, 503: schemas.ReadinessBody}),
    "GET /metrics": (None, {200: _PROMETHEUS}),
    "GET /openapi.json": (None, {200: _JSON}),
    "GET /report": (None, {200: schemas.ReportBody}),
    "GET /agents/<agent_id:str>": (None, {200: schemas.AgentBody}),
    "PUT /agents/<agent_id:str>/state": (StateRequest, {200: schemas.AgentBody}),
    "PUT /agents/<agent_id:str>/chats": (ChatsRequest, {200: schemas.AgentBody}),
    "POST /events": (EventsBody, {200: schemas.TakenBody}),
    "PUT /sessions/<agent_id:str>": (GuidRequest, {200: schemas.SessionBody}),
    "GET /sessions/<agent_id:str>": (None, {200: schemas.SessionBody}),
    "DELETE /sessions/<agent_id:str>": (None, {204: _NO_BODY}),
    "GET /stream": (None, {200: "text/event-stream"}),
    "GET /suggestions": (None, {200: schemas.SuggestionList}),
    "POST /suggestions": (
        OfferBody,
        {200: schemas.SuggestionBody, 201: schemas.SuggestionBody},
    ),
    "GET /suggestions/<suggestion_id:str>": (None, {200: schemas.SuggestionBody}),
    "POST /suggestions/<suggestion_id:str>/accept": (
        AcceptRequest,
        {200: schemas.AcceptedBody},
    ),
    "POST /suggestions/<suggestion_id:str>/copy": (NoFields, {200: schemas.SuggestionBody}),
    "POST /suggestions/<suggestion_id:str>/reject": (
        RejectRequest,
        {200: schemas.SuggestionBody},
    ),
    "POST /suggestions/<suggestion_id:str>/displayed": (NoFields, {200: schemas.SuggestionBody}),
    "POST /tokens": (TokenRequest, {201: schemas.TokenBody}),
    "DELETE /tokens": (None, {204: _NO_BODY}),
    "DELETE /tokens/<token_id:str>": (None, {204: _NO_BODY}),
}


def described(
    routes: Iterable[Route], version: str, *, highest: int = HIGHEST_AGENT_ID
) -> dict[str, Any]:
    """Return the description of the routes, as OpenAPI 3.1.

    Args:
        routes: the routes.
        version: the version of the bridge.
        highest: the highest agent ID, ``gateway.max_agent_id``.
    """
    references, definitions = _schemas()
    found: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = paths.API + _PARAMETER.sub(r"{\1}", route.path)
        found.setdefault(path, {})[route.method.lower()] = _operation(route, references)
    description = {
        "openapi": "3.1.0",
        "info": {
            "title": "rasa-cc-bridge",
            "version": version,
            "summary": "Hands conversations of a Rasa bot over to agents of a contact centre.",
        },
        "paths": found,
        "components": {
            "schemas": definitions,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    described: dict[str, Any] = _with_references(description)
    described["components"]["schemas"][_AGENT_ID] = _agent_id(highest)
    return described


def _with_references(node: Any) -> Any:
    """Replace each schema of an agent ID by a reference to the one that knows the highest."""
    if isinstance(node, Mapping):
        if node.get("format") == AGENT_ID:
            return {
                **{key: node[key] for key in node if key not in ("format", "type")},
                "$ref": _REF.format(model=_AGENT_ID),
            }
        return {key: _with_references(item) for key, item in node.items()}
    return [_with_references(item) for item in node] if isinstance(node, list) else node


def _agent_id(highest: int) -> dict[str, Any]:
    """Return the schema of an agent ID, which may be written as a number too."""
    return {
        "description": f"an agent ID: {wire.FIRST_AGENT} to {highest}",
        "anyOf": [
            {"type": "string", "pattern": f"^(?:{digits.between(wire.FIRST_AGENT, highest)})$"},
            {"type": "integer", "minimum": wire.FIRST_AGENT, "maximum": highest},
        ],
    }


@cache
def _schemas() -> tuple[dict[Model, dict[str, Any]], dict[str, Any]]:
    """Return a reference to each model's schema, and the schemas."""
    modes: dict[Model, Any] = {schemas.ErrorBody: "serialization"}
    for request, responses in BODIES.values():
        if request is not None:
            modes[request] = "validation"
        modes |= {item: "serialization" for item in responses.values() if isinstance(item, type)}
    by_model, whole = models_json_schema(list(modes.items()), ref_template=_REF)
    references = {model: schema for (model, _), schema in by_model.items()}
    return references, whole["$defs"]  # type: ignore[return-value]


def _operation(route: Route, references: dict[Model, dict[str, Any]]) -> dict[str, Any]:
    request, responses = BODIES[f"{route.method} {route.path}"]
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": (route.handler.__doc__ or "").splitlines()[0],
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": _responses(responses, references),
        "security": [] if route.access is Access.EVERYBODY else [{"token": []}],
    }
    if request is not None:
        operation["requestBody"] = {
            "required": not (issubclass(request, RequestBody) and request.optional),
            "content": {_JSON: {"schema": references[request]}},
        }
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": IN_PATHS[name]}
        for name in _PARAMETER.findall(route.path)
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": item.name,
            "in": "query",
            "description": item.description,
            "schema": item.schema or {"type": "string", "pattern": item.pattern},
        }
        for item in route.query
    ]


def _responses(
    responses: dict[int, Model | str], references: dict[Model, dict[str, Any]]
) -> dict[str, Any]:
    error = {_JSON: {"schema": references[schemas.ErrorBody]}}
    found: dict[str, Any] = {
        str(status): {"description": HTTPStatus(status).phrase, "content": error}
        for status in _ERRORS
    }
    for status, body in responses.items():
        described: dict[str, Any] = {"description": HTTPStatus(status).phrase}
        if isinstance(body, type):
            described["content"] = {_JSON: {"schema": references[body]}}
        elif body == _JSON:
            described["content"] = {_JSON: {"schema": {"type": "object"}}}
        elif body != _NO_BODY:
            kinds = [body, _ALSO[body]] if body in _ALSO else [body]
            described["content"] = {kind: {"schema": {"type": "string"}} for kind in kinds}
        found[str(status)] = described
    return dict(sorted(found.items()))
