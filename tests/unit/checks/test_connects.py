"""The reader of strace's lines tells this machine from all others."""

from __future__ import annotations

import pytest

from bench.connects import connected, is_here

LINE = "812   connect({}) = -1 ECONNREFUSED (Connection refused)"


SIX = '4, {{sa_family=AF_INET6, sin6_port=htons(443), inet_pton(AF_INET6, "{}", &sin6_addr)}}, 28'
FOUR = '3, {{sa_family=AF_INET, sin_port=htons({}), sin_addr=inet_addr("{}")}}, 16'
LINK = "3, {sa_family=AF_NETLINK, nl_pid=0}, 12"


@pytest.mark.parametrize(
    ("arguments", "where", "here"),
    [
        (FOUR.format(9, "127.0.0.1"), "127.0.0.1:9", True),
        (FOUR.format(53, "10.255.255.53"), "10.255.255.53:53", False),
        (SIX.format("::1"), "[::1]:443", True),
        (SIX.format("2a00::5"), "[2a00::5]:443", False),
        ('3, {sa_family=AF_UNIX, sun_path="/run/x"}, 110', "unix:/run/x", True),
        (LINK, LINE.format(LINK).partition("connect(")[2], False),
    ],
)
def test_whom_a_line_connects_to(arguments: str, where: str, here: bool) -> None:
    assert list(connected(LINE.format(arguments))) == [where]
    assert is_here(where) is here


@pytest.mark.parametrize(
    "line", ["", "812  +++ exited with 0 +++", "812  <... connect resumed>) = 0"]
)
def test_other_lines_are_none(line: str) -> None:
    assert list(connected(line)) == []
