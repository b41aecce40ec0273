"""Forms with a file, as browsers post them: fields first, and then the file, piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from .errors import S3Error

MAX_FIELDS_BYTES = 64 * 1024


class Form:
    """Read `fields` with `read_fields`; then iterate over the file's content. Field names are lower case."""

    def __init__(self, content_type: str, pieces: AsyncIterator[bytes]) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise S3Error("MalformedPOSTRequest", "The body of your POST request is not multipart/form-data.")
        self.fields: dict[str, str] = {}
        self.filename = ""
        self._pieces = pieces
        self._header, self._value = bytearray(), bytearray()
        self._disposition: dict[str, bytes] = {}
        self._name = ""
        self._content: list[bytes] = []
        self._collected = 0
        self._in_file = self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._part_data,
                "on_part_end": self._part_ends,
                "on_end": self._all_ends,
            },
        )

    async def read_fields(self) -> None:
        """Until the file begins. Raises `S3Error` (`MalformedPOSTRequest`, `InvalidArgument`)."""
        while not self.filename and await self._more():
            pass
        if not self.filename:
            raise S3Error("InvalidArgument", "POST requires exactly one file upload per request.")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            pieces, self._content = self._content, []
            for piece in pieces:
                yield piece
            if not await self._more():
                break
        for piece in self._content:
            yield piece
        if not self._ended:
            raise S3Error("IncompleteBody", "The form ended in the middle.")

    async def _more(self) -> bool:
        piece = await anext(self._pieces, b"")
        if not piece:
            return False
        try:
            self._parser.write(piece)
        except FormParserError:
            raise _malformed() from None
        return True

    def _part_begins(self) -> None:
        self._disposition = {}
        self._value.clear()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]
        self._collect(end - start)

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._collect(end - start)

    def _header_ends(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self._disposition = {name.decode("latin-1"): value for name, value in options.items()}
        self._header.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        if self.filename:
            return  # what comes after the file counts for nothing, as at Amazon
        self._name = self._disposition.get("name", b"").decode("utf-8", "replace").lower()
        if self._name == "file":
            self._in_file = True
            self.filename = self._disposition.get("filename", b"").decode("utf-8", "replace") or "file"

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._content.append(data[start:end])
        elif not self.filename:
            self._value += data[start:end]
            self._collect(end - start)

    def _part_ends(self) -> None:
        if not self._in_file and not self.filename and self._name:
            self.fields[self._name] = self._value.decode("utf-8", "replace")
        self._in_file = False
        self._name = ""

    def _all_ends(self) -> None:
        self._ended = True

    def _collect(self, size: int) -> None:
        self._collected += size
        if self._collected > MAX_FIELDS_BYTES:
            raise S3Error("InvalidRequest", "The form's fields are too large.")


def _malformed() -> S3Error:
    return S3Error("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
