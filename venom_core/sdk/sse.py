"""Server-sent events, as bytes: what an OpenAI-compatible upstream streams.

Text readers decode and re-encode every token; a relay needs neither, so this one splits bytes and
leaves them as they are. Source: the WHATWG HTML standard, section 9.2 (only ``data`` matters here).
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

DONE = b"[DONE]"
MAX_EVENT_BYTES = 8 * 1024 * 1024
#: Lines of one event; what a server writes by hand has some dozens.
MAX_EVENT_LINES = 10_000
_BOM = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """An event grew beyond ``MAX_EVENT_BYTES`` or ``MAX_EVENT_LINES`` without an end."""


class EventSplitter:
    """Feed it byte chunks cut anywhere; get the data of each whole event.

    Lines may end in LF, CR LF or CR, the first may begin with a byte order mark. Comments and other
    fields are passed over, and so are events without data, which say that the server is alive. What
    remains without its blank line when the stream ends is no event. A line that begins with a brace
    is what a server, or a proxy before it, wrote beside the protocol: an event of its own.
    """

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._size = self._data_size = 0
        self._after_cr = False

    @property
    def pending(self) -> bool:
        """Return whether a part of an event is held."""
        return bool(self._line or self._data)

    def feed(self, chunk: bytes) -> list[bytes]:
        if (
            chunk.startswith(b"data: ")
            and chunk.endswith(b"\n\n")
            and chunk.find(b"\n") == len(chunk) - 2
            and not self._line
            and not self._data
            and not self._after_cr
            and b"\r" not in chunk
            and not chunk[6:7].isspace()
        ):
            return [chunk[6:-2]]  # one whole event: what a paced stream is made of
        if self._after_cr and chunk[:1] == b"\n":
            chunk = chunk[1:]
        if chunk:
            self._after_cr = chunk[-1:] == b"\r"
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, *lines = chunk.split(b"\n")
        self._hold(first)
        if not lines:
            return []
        *whole, rest = lines
        whole.insert(0, b"".join(self._line))
        self._line = []
        events = [event for line in whole if (event := self._event(line)) is not None]
        self._size = self._data_size
        self._hold(rest)
        return events

    def _hold(self, part: bytes) -> None:
        """Keep a part of a line that goes on."""
        if part:
            self._line.append(part)
            self._size += len(part)
            if self._size > MAX_EVENT_BYTES:
                raise EventTooLarge

    def _event(self, line: bytes) -> bytes | None:
        """Return the data of the event that this line ends, where it ends one."""
        if not line:
            event = b"\n".join(self._data)
            self._data, self._data_size = [], 0
            return event if event.strip() else None
        line = line.removeprefix(_BOM)
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._data_size += len(value)
            if self._data_size > MAX_EVENT_BYTES or len(self._data) > MAX_EVENT_LINES:
                raise EventTooLarge
            return None
        return line if line.startswith(b"{") else None


async def events(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Yield the data of each event in a byte stream, ``[DONE]`` included."""
    splitter = EventSplitter()
    async for chunk in chunks:
        for event in splitter.feed(chunk):
            yield event
