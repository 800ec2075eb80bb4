from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venom_core.plugins.discovery import Found
from venom_core.plugins.gates import GATES, KnownBad, Policy, first_refusal, judge
from venom_core.plugins.names import RESERVED_NAMES
from venom_core.plugins.reasons import REASONS
from venom_core.sdk.states import PluginState

CORE = "2026.11.0"
POLICY = Policy(CORE)


def third(id_: str = "acme", distribution: str = "venom-acme", **changes: object) -> Found:
    given = {"value": "m", "api": "v1", "version": "1.0", "origin": "third_party", **changes}
    return Found(id=id_, distribution=distribution, **given)


def ours(id_: str = "onnx", version: str = CORE, **changes: object) -> Found:
    return third(id_, f"venom-{id_}", version=version, origin="first_party", **changes)


def code(found: Found, policy: Policy = POLICY, *others: Found) -> str | None:
    refusal = judge([found, *others], policy)[0][1]
    return refusal.reason.code if refusal else None


def test_nothing_wrong():
    assert code(third()) is None
    assert code(ours()) is None


@pytest.mark.parametrize(
    ("layer", "expected"), [("env", "blocked"), ("flag", "blocked"), ("file", "disabled_by_user")]
)
def test_block_list(layer, expected):
    assert code(third(), Policy(CORE, disabled={"acme": layer})) == expected
    assert code(third(), Policy(CORE, disabled={"venom-acme": layer})) == expected
    assert code(third(), Policy(CORE, disabled={"other": layer})) is None


def test_allow_list():
    assert code(third(), Policy(CORE, allowed=frozenset({"onnx"}))) == "not_allowed"
    assert code(third(), Policy(CORE, allowed=frozenset())) == "not_allowed"
    assert code(third(), Policy(CORE, allowed=frozenset({"acme"}))) is None
    assert code(third(), Policy(CORE, allowed=frozenset({"venom-acme"}))) is None


def test_api_major():
    assert code(third(api="v2")) == "api_mismatch"


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ("venom>=2026.1", None),
        ("venom>=2026.12", "core_mismatch"),
        ("venom<2026", "core_mismatch"),
        ("venom", None),
        ("venom~=2026.11", None),
        ("venom>=2099; python_version < '3'", None),
        ("venom>=>1", "core_mismatch"),
    ],
)
def test_core_version(requirement, expected):
    assert code(third(requires=(requirement,))) == expected


def test_lockstep():
    assert code(ours(version="2026.10.3")) == "lockstep_mismatch"
    assert code(third(version="2026.10.3")) is None


def test_known_bad():
    policy = Policy(CORE, known_bad=(KnownBad("Venom.Acme", "<1.2", "It eats files.", "Update."),))
    assert code(third(), policy) == "known_bad"
    assert code(third(version="1.2"), policy) is None
    assert code(third(version="unknown"), policy) is None


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_our_names_are_reserved(name):
    assert code(third(name)) == "name_reserved"
    owner = RESERVED_NAMES[name]
    assert code(third(name, owner, version=CORE, origin="first_party")) is None


def test_third_parties_in_conflict():
    one, two = third(distribution="one"), third(distribution="two")
    assert [r.reason.code for _, r in judge([one, two], POLICY) if r] == ["name_conflict"] * 2
    refusal = judge([one, two], POLICY)[0][1]
    assert refusal is not None
    assert refusal.state.recoverable
    assert refusal.reason.fix == (
        "Keep one of them and disable the others: venom plugins disable two"
    )


def test_one_of_them_disabled_leaves_the_other_alone():
    one, two = third(distribution="one"), third(distribution="two")
    policy = Policy(CORE, disabled={"two": "file"})
    assert [r.reason.code if r else None for _, r in judge([one, two], policy)] == [
        None,
        "disabled_by_user",
    ]


def test_plugin_that_cannot_load_claims_no_name():
    assert code(third(distribution="one"), POLICY, third(distribution="two", api="v9")) is None


def test_stranger_cannot_take_our_plugin_along():
    assert code(ours(), POLICY, third("onnx", "onnx-for-all")) is None


def test_order_is_fixed():
    """Each gate objects; the first in the order is heard, one by one."""
    bad = (KnownBad("thief", "==1.0", "Bad.", "None."),)
    worst = third("onnx", "thief", api="v7", requires=("venom<1",))
    policy = Policy(CORE, allowed=frozenset(), disabled={"onnx": "file"}, known_bad=bad)
    codes = [code(worst, policy)]
    policy = Policy(CORE, allowed=frozenset(), known_bad=bad)
    codes.append(code(worst, policy))
    policy = Policy(CORE, known_bad=bad)
    codes.append(code(worst, policy))
    codes.append(code(third("onnx", "thief", requires=("venom<1",)), policy))
    codes.append(code(third("onnx", "thief"), policy))
    codes.append(code(third("onnx", "thief")))
    assert codes == [
        "disabled_by_user",
        "not_allowed",
        "api_mismatch",
        "core_mismatch",
        "known_bad",
        "name_reserved",
    ]


names = st.sampled_from(["acme", "onnx", "venom-acme", "one", "two", ""])


@given(
    found=st.lists(
        st.builds(
            Found,
            id=names,
            value=st.just("m"),
            api=st.sampled_from(["v1", "v2"]),
            distribution=names,
            version=st.sampled_from(["1.0", CORE, "unknown"]),
            origin=st.sampled_from(["first_party", "third_party"]),
            requires=st.lists(st.sampled_from(["venom>=1", "venom==9", "%%"])).map(tuple),
        ),
        max_size=6,
        unique_by=lambda item: (item.id, item.distribution),
    ),
    allowed=st.none() | st.frozensets(names),
    disabled=st.dictionaries(names, st.sampled_from(["env", "file"])),
)
def test_every_plugin_is_judged_and_no_name_is_given_twice(found, allowed, disabled):
    judged = judge(found, Policy(CORE, allowed=allowed, disabled=disabled))
    assert [item for item, _ in judged] == found
    free = [item.id for item, refusal in judged if refusal is None]
    assert len(free) == len(set(free))
    for item, refusal in judged:
        if refusal is None:
            assert first_refusal(item, Policy(CORE, allowed=allowed, disabled=disabled)) is None
        else:
            assert refusal.reason.code in REASONS
            assert refusal.reason.fix
            assert refusal.state in (PluginState.DISABLED, PluginState.INCOMPATIBLE)


def test_gates_do_not_look_at_each_other():
    for gate in GATES:
        assert gate(third(), POLICY) is None
