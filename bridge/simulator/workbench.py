"""The public cloud's workbench, on the gateway's port: a token for a key, and a call's customer.

These paths are not the gateway's: HTTP statuses tell how it went, and there is no retcode.
"""

from __future__ import annotations

import hmac
import json
import uuid
from typing import Any

from sanic import HTTPResponse, Request, Sanic

from bridge.simulator.options import WorkbenchAccount
from bridge.simulator.tenant import Tenant

TOKEN = "/apigovernance/api/oauth/tokenByAkSk"  # noqa: S105 - a path
USER_INFO = "/apiaccess/rest/workbench/v1/getUserInfoBycallId"


def mount(app: Sanic[Any, Any], tenant: Tenant) -> None:
    """Add the workbench's paths to the application."""
    workbench = _Workbench(tenant)
    app.add_route(workbench.token, TOKEN, methods=["POST"], name="tokenByAkSk")
    app.add_route(workbench.user_info, USER_INFO, methods=["POST"], name="getUserInfoBycallId")


class _Workbench:
    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    @property
    def _account(self) -> WorkbenchAccount:
        return self._tenant.settings.workbench

    async def token(self, request: Request) -> HTTPResponse:
        """Give a bearer token for the application's key and secret."""
        given = _object(request)
        account = self._account
        known = _same(given.get("app_key"), account.app_key) and _same(
            given.get("app_secret"), account.app_secret
        )
        self._tenant.gateway.asked_workbench.append("token")
        if not known:
            return _reply({"error_msg": "the app_key or the app_secret is wrong"}, 401)
        token = uuid.uuid4().hex
        self._tenant.gateway.workbench_tokens.add(token)
        answer = {"AccessToken": token, "ApplyType": "Bearer", "Expires": "600"}
        return _reply({**answer, "AppKey": account.app_key, "UserID": "Anonymous"})

    async def user_info(self, request: Request) -> HTTPResponse:
        """Say who a call's customer is."""
        gateway = self._tenant.gateway
        gateway.asked_workbench.append("user_info")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in gateway.workbench_tokens:
            return _reply({"error_msg": "the token is not valid"}, 401)
        given = _object(request)
        call = gateway.calls.get(str(given.get("callId")))
        if (
            given.get("tenantId") != self._account.tenant_id
            or call is None
            or not given.get("userId")
        ):
            return _reply({"error_msg": "no such call"}, 500)
        return _reply(
            {
                "userNickname": call.nickname,
                "userId": call.user_id or call.caller,
                "userAvatar": "",
                "channel": call.channel,
                "channelConfigId": call.channel_config_id,
                "createTime": str(int(gateway.clock.now() * 1000)),
            }
        )


def _object(request: Request) -> dict[str, Any]:
    try:
        value = json.loads(request.body or b"{}")
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}


def _same(given: object, known: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), known.encode())


def _reply(body: dict[str, Any], status: int = 200) -> HTTPResponse:
    text = json.dumps(body, ensure_ascii=False)
    return HTTPResponse(text, status, content_type="application/json")
