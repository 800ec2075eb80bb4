import asyncio

from venom_core.sdk import (
    Answer,
    CatalogueEntry,
    Choice,
    Chunk,
    ContextLengthExceeded,
    Embeddings,
    EngineStatus,
    Frame,
    FrameKind,
    Health,
    LoadedModel,
    Model,
    ModelNotFound,
    NewsItem,
    Provider,
    ProviderStatus,
    PullPlan,
    PullProgress,
    Reason,
    RepositoryCard,
    RepositoryFile,
    SearchPage,
    ToolCall,
    Unavailable,
    UnsupportedParameter,
    UpstreamError,
    Usage,
    delta,
    finish,
    usage,
)

RAW = b'{"choices": [{"index": 0, "delta": {"content": " ice"}, "finish_reason": null}]}'
ENTRY = CatalogueEntry(
    "snow",
    title="Snow",
    size_bytes=5,
    runtime="frozen",
    tags=("cold",),
    downloads=7,
    likes=9,
    license="mit",
    gated=False,
    updated_at="2026-11-01T00:00:00Z",
)
CAVEAT = Reason("frozen_old", "Frozen is old.", "Leave it so.")


class FrozenProvider(Provider):
    def __init__(self, context):
        super().__init__(context)
        self.greeting = context.settings["greeting"]
        self.installed = ["frost"]
        self.in_memory = []

    async def open(self):
        self.context.data_dir.mkdir(parents=True, exist_ok=True)
        self.context.logger.info("open")

    async def close(self):
        self.in_memory.clear()

    def canonical(self, ref):
        return ref.lower()

    async def health(self):
        return Health(ProviderStatus.DEGRADED, CAVEAT, version="1.0")

    async def models(self):
        return [self._model(ref) for ref in ("frost", "snow")]

    async def describe(self, ref):
        self._check(ref)
        return self._model(ref)

    def _model(self, ref):
        return Model(
            ref,
            "ice",
            capabilities=frozenset({"chat", "completion", "embedding", "tools"}),
            title=ref.title(),
            summary="Cold.",
            size_bytes=5,
            digest="sha256:" + "0" * 64,
            quantization="Q4_K_M",
            context_length=64,
            languages=("en", "pl"),
            instruct=True,
            installed=ref in self.installed,
            loaded=ref in self.in_memory,
            allowed_roles=("system", "user", "assistant", "tool"),
            defaults={"max_tokens": 32},
            license="mit",
            terms_url="https://example.org/terms",
            details={"hardness": 1},
            parameter_bounds={"max_tokens": (1, 64)},
            applies_defaults=True,
        )

    def _check(self, ref):
        if ref not in ("frost", "snow"):
            raise ModelNotFound(f"Frozen has no {ref}.", fix="Ask for snow or for frost.")

    async def chat(self, request):
        self._check(request.model)
        text = str(request.body["messages"][-1].get("content") or "")
        count = await asyncio.to_thread(len, text.split())
        if count > 64:
            raise ContextLengthExceeded(f"{count} tokens are too many.", param="messages")
        if "break" in text:
            raise UpstreamError("It broke.", fix="Mend it.")
        if "wait" in text:
            raise Unavailable("It sleeps.", fix="Wake it.", code="frozen_asleep", retry_after=3)
        if request.body.get("n", 1) > 2:
            raise UnsupportedParameter("Two are the most.", param="n")
        choices = range(request.body.get("n") or 1)
        calls = ()
        if request.body.get("tools"):
            name = request.body["tools"][0]["function"]["name"]
            calls = (ToolCall(index=0, id="call_1", name=name, arguments="{}"),)
        reason = "tool_calls" if calls else "stop"
        if not request.stream:
            yield Frame.of(
                Answer(
                    tuple(
                        Choice(
                            index=index,
                            role="assistant",
                            content=f"{self.greeting} ice",
                            reasoning="It is cold.",
                            tool_calls=calls,
                            finish_reason=reason,
                        )
                        for index in choices
                    ),
                    Usage(count, 2, cached_tokens=1),
                )
            )
            return
        for index in choices:
            yield Frame.of(delta(index=index, role="assistant", reasoning="It is cold."))
            yield Frame.of(Chunk((Choice(index=index, content=self.greeting),)))
            if index == 0:
                yield Frame.raw(FrameKind.DELTA, RAW)
            else:
                yield Frame.of(delta(" ice", index=index))
            if calls:
                yield Frame.of(delta(index=index, tool_calls=calls))
        for index in choices:
            yield Frame.of(finish(reason, index=index))
        yield Frame.of(usage(count, 2, cached_tokens=1))

    async def complete(self, request):
        self._check(request.model)
        prompt = request.body["prompt"]
        length = len(prompt)
        if not request.stream:
            choice = Choice(content=" is cold", finish_reason="length")
            yield Frame.of(Answer((choice,), Usage(length, 2)))
            return
        yield Frame.of(delta(" is cold", role="assistant"))
        yield Frame.of(finish("length"))
        yield Frame.of(Chunk(usage=Usage(length, 2)))

    async def embed(self, request):
        self._check(request.model)
        size = request.dimensions or 2
        vectors = tuple(tuple(float(len(text)) for _ in range(size)) for text in request.inputs)
        return Embeddings(vectors, prompt_tokens=len(request.inputs))

    async def load(self, ref):
        self._check(ref)
        self.in_memory.append(ref)

    async def unload(self, ref):
        self.in_memory = [one for one in self.in_memory if one != ref]

    async def ps(self):
        return [LoadedModel(ref, 5, vram_bytes=0, context_length=64) for ref in self.in_memory]

    async def plan_pull(self, ref):
        return PullPlan(ref, bytes_total=5, bytes_here=0, bytes_needed=0)

    async def pull(self, ref):
        self._check(ref)
        yield PullProgress("pulling", "It snows", bytes_done=2, bytes_total=5)
        yield PullProgress("verifying", "It is snow", 5, 5)
        self.installed.append(ref)
        yield PullProgress("completed", "It has snowed", 5, 5)

    async def forget_pull(self, ref):
        pass

    async def remove(self, ref):
        self._check(ref)
        self.installed.remove(ref)

    async def search(self, query, filters, limit, page):
        asked = (filters.author, filters.format, filters.license, filters.task, filters.sort)
        self.context.logger.info("search %s %s", query, asked)
        return SearchPage((ENTRY,), total=1)

    async def trending(self, limit):
        return [ENTRY]

    async def news(self, kind, month, lang, limit):
        return [
            NewsItem(
                title="It snows",
                url="https://example.org/news",
                summary="Much.",
                published_at="2026-11-02T00:00:00Z",
                authors=("me",),
                source="Frozen",
            )
        ]

    async def card(self, ref):
        file = RepositoryFile("snow.bin", 5, sha256=None, fetched=True, why_not=None)
        return RepositoryCard(ENTRY, commit=None, files=(file,), download_bytes=5)

    async def engines(self):
        return [EngineStatus("frozen", "running", model="frost", pid=1, log_tail=("brr",))]
