import asyncio
import contextlib

from venom_core.sdk import (
    Endpoint,
    Health,
    Model,
    OpenAIEngineProvider,
    ProviderStatus,
    Reason,
    VenomError,
    fetch_models,
)

SILENT = Reason("frozen_silent", "The server does not answer.", "Check VENOM_FROZEN_WIRE__URL.")


class WireProvider(OpenAIEngineProvider):
    def __init__(self, context):
        super().__init__(context)
        self._url = str(context.settings["url"]).rstrip("/")
        key = context.settings["api_key"]
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def health(self):
        try:
            async with asyncio.timeout(2):
                await self.models()
        except TimeoutError:
            return Health(ProviderStatus.UNAVAILABLE, SILENT)
        except VenomError as error:
            return Health(ProviderStatus.UNAVAILABLE, Reason.of(error))
        return Health(ProviderStatus.READY)

    async def models(self):
        names = await fetch_models(self.client(self._url), self._headers)
        return [Model(name, "remote", runs_at="example.org") for name in names]

    @contextlib.asynccontextmanager
    async def lease(self, ref):
        yield Endpoint(self._url, ref, self._headers)
