"""The few core resources that the operator touches, as plain JSON.

CoreV1Api does the same with 280 Pydantic models: a third of the start, and 23 MiB.
"""

from typing import Any

CALL_SECONDS = 30.0


class Core:
    """Paths below /api/v1. Every method may raise ApiException."""

    def __init__(self, api: Any) -> None:
        """`api` is an ApiClient."""
        self._api = api

    async def read(self, path: str) -> dict[str, Any]:
        return await self._call("GET", path, None)

    async def create(self, path: str, body: dict[str, Any]) -> None:
        await self._call("POST", path, body)

    async def _call(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        request = await self._api.param_serialize(
            method=method,
            resource_path=f"/api/v1/{path}",
            header_params={"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
        )
        answer = await self._api.call_api(*request, _request_timeout=CALL_SECONDS)
        await answer.read()
        return dict(self._api.response_deserialize(answer, {"2XX": "object"}).data)
