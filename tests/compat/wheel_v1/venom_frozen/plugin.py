from venom_core.sdk import (
    Architecture,
    Capability,
    DoctorCheck,
    DoctorFinding,
    EngineRequirement,
    MemoryPlan,
    ObservedEvent,
    Proposal,
    ProviderSpec,
    Setting,
    hookimpl,
)

OBSERVED = []


@hookimpl
def venom_providers():
    return [
        ProviderSpec(
            name="frozen",
            title="Frozen",
            summary="Answers as it always did.",
            factory="venom_frozen.provider:FrozenProvider",
            capabilities=frozenset(
                {
                    Capability.CHAT,
                    Capability.COMPLETE,
                    Capability.EMBED,
                    Capability.DESCRIBE,
                    Capability.LOAD,
                    Capability.UNLOAD,
                    Capability.PS,
                    Capability.PULL,
                    Capability.REMOVE,
                    Capability.SEARCH,
                    Capability.TRENDING,
                    Capability.NEWS,
                    Capability.CARD,
                    Capability.ENGINES,
                }
            ),
            parameters=frozenset({"max_tokens", "n", "tools", "dimensions"}),
            tokens=frozenset({"prompt"}),
            settings=(
                Setting("greeting", "str", "Brr", "What it says first.", choices=("Brr", "Hu")),
                Setting("flakes", "int", 2, "How many.", minimum=1, maximum=9),
                Setting("depth", "float", 0.5, "How deep.", minimum=0),
                Setting("cold", "bool", True, "Whether it is cold."),
                Setting("url", "url", None, "Where it is.", env_aliases=("FROZEN_HOST",)),
                Setting("folder", "path", None, "Where its files are."),
                Setting("places", "list", (), "Where else it is.", items="url"),
                Setting("key", "str", None, "Its key.", secret=True),
            ),
            aliases=("ice",),
            homepage="https://example.org/frozen",
            engine=EngineRequirement("json", "frozen", size_bytes=1, needed_to_list=False),
            local=True,
            preference=0,
            proposals=(
                Proposal(
                    name="hail",
                    title="Hail",
                    size_bytes=3,
                    summary="Small and hard.",
                    terms_url="https://example.org/terms",
                    architecture=Architecture("hail", layers=1, heads=1, kv_heads=(1,)),
                    memory_plan=MemoryPlan("frozen", context_length=64),
                ),
            ),
            needs="It needs frost.",
            default_model="fro*",
            pages=((r"example\.org/models/([a-z]+)", r"\1"),),
        ),
        ProviderSpec(
            name="frozen-wire",
            title="Frozen wire",
            summary="Relays a server that speaks the OpenAI wire.",
            factory="venom_frozen.wire:WireProvider",
            capabilities=frozenset({Capability.CHAT}),
            parameters=frozenset({"temperature"}),
            settings=(
                Setting("url", "url", "http://127.0.0.1:9", "Address, without /v1."),
                Setting("api_key", "str", None, "Its key.", secret=True),
            ),
            local=False,
        ),
    ]


@hookimpl
def venom_doctor_checks():
    return [DoctorCheck("frozen", look)]


async def look():
    return DoctorFinding(ok=False, title="Frozen", message="It thaws.", fix="Shut the door.")


@hookimpl
def venom_observe(event):
    assert isinstance(event, ObservedEvent)
    OBSERVED.append((event.name, dict(event.data)))
