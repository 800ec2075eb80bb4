"""Protocol buffers of strangers, read field by field without their library.

Only what a field says of itself is read: its number, its type, where its value lies. Nothing is
loaded whole, so a file of two gigabytes costs no more than its structure. Where the library reads a
number shorter than it is written, this reader refuses it: both must see the same fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
#: Fields of one file; a language model of eighty layers has a hundred thousand.
MOST_FIELDS = 400_000
MOST_DEPTH = 24
#: A tag and a length are numbers of 32 bits.
_MOST_32 = (1 << 32) - 1
_MOST_64 = (1 << 64) - 1
WINDOW = 16 * 1024


class NotProtobuf(ValueError):
    """The bytes are no protocol buffer, or one beyond every bound; the text says why."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message: the bytes from ``begin`` to ``end`` of the file, nested ``depth`` times."""

    begin: int
    end: int
    depth: int = 0

    @property
    def size(self) -> int:
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``value`` is the number of a varint, else 0; ``place`` is where its bytes lie."""

    number: int
    wire: int
    value: int
    place: Message


class ProtobufFile:
    """Reads one open file; nothing but its structure is kept.

    Raises ``NotProtobuf`` in every method where the bytes are none, or end too early.
    """

    def __init__(self, file: BinaryIO, size: int, most_fields: int = MOST_FIELDS) -> None:
        self._file = file
        self._left = most_fields
        self._window, self._at = b"", 0
        self.root = Message(0, size)

    def fields(self, message: Message) -> Iterator[Field]:
        """Yield the fields of a message in order."""
        if message.depth > MOST_DEPTH:
            raise NotProtobuf("it nests too deeply")
        place, end, inner = message.begin, message.end, message.depth + 1
        while place < end:
            self._count()
            tag, place = self._varint(place, end)
            number, wire = tag >> 3, tag & 7
            value, begin = 0, place
            if wire == VARINT:
                value, place = self._varint(place, end)
            elif wire == FIXED64:
                place += 8
            elif wire == FIXED32:
                place += 4
            elif wire == BYTES:
                length, begin = self._varint(place, end)
                place = begin + length
            else:
                raise NotProtobuf("it has a field of no known type")
            if not 0 < tag <= _MOST_32 or number == 0:
                raise NotProtobuf("it has a field without a number")
            if place > end:
                raise NotProtobuf("it is cut short")
            yield Field(number, wire, value, Message(begin, place, inner))

    def data(self, place: Message, most: int) -> bytes:
        """Return the bytes of a field; a text longer than ``most`` is none."""
        if place.size > most:
            raise NotProtobuf("it has a text that is too long")
        offset = place.begin - self._at
        if not 0 <= offset <= offset + place.size <= len(self._window):
            self._load(place.begin, max(place.size, WINDOW))
            offset = 0
        data = self._window[offset : offset + place.size]
        if len(data) != place.size:
            raise NotProtobuf("it is cut short")
        return data

    def text(self, place: Message, most: int) -> str:
        """Return a text. Raises ``NotProtobuf`` where it is no UTF-8."""
        try:
            return self.data(place, most).decode()
        except UnicodeDecodeError as error:
            raise NotProtobuf("it has a text that is none") from error

    def varints(self, place: Message) -> Iterator[int]:
        """Yield the numbers of a packed field."""
        at = place.begin
        while at < place.end:
            self._count()
            value, at = self._varint(at, place.end)
            yield value

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise NotProtobuf("it has more parts than any model")

    def _varint(self, place: int, end: int) -> tuple[int, int]:
        value = shift = 0
        while place < end:
            offset = place - self._at
            if not 0 <= offset < len(self._window):
                self._load(place, WINDOW)
                offset = 0
            byte = self._window[offset]
            place += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value > _MOST_64:
                    raise NotProtobuf("it has a number that is too long")
                return value, place
            shift += 7
            if shift >= 70:
                raise NotProtobuf("it has a number that is too long")
        raise NotProtobuf("it is cut short")

    def _load(self, place: int, size: int) -> None:
        self._file.seek(place)
        self._window, self._at = self._file.read(size), place
        if not self._window:
            raise NotProtobuf("it is cut short")
