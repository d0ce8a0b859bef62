"""What bytes are, told by how they begin: the one list of the sound files that HAL takes.

Names and labels are no help: clients in use call raw samples "wav". Nothing is decoded here.
"""

from __future__ import annotations

import codecs
import re
import struct
from dataclasses import dataclass

NO_PCM16 = "compressed data or noise"
"""What it looks like when it is no PCM16, and nothing that is known."""

ACCEPTED = "WAV, FLAC, Ogg, MP3, WebM, M4A or AIFF"
"""What to send, in a sentence for a person."""

HEAD_BYTES = 12
"""So many bytes are enough to know a container; text takes more."""

_TEXT_PROBE_BYTES = 64
_MPEG_LABELS = ("mp3", "mpeg", "audio/mpeg")
_ADTS_LABELS = ("aac", "audio/aac")
_KBIT_S_MPEG_1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBIT_S_MPEG_2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAMPLE_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}

_MIN_JUDGED_SAMPLES = 1_024
_NEAR = 0.1
_IS_LOUD = bytes(0x40 <= high < 0xC0 for high in range(256))  # by the high byte: beyond half of full scale
_IS_NEGATIVE = bytes(high >= 0x80 for high in range(256))


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    Attributes:
        title: what a sentence calls it, such as "a JPEG picture".
        label: the protocol's short name of a kind of sound, such as "webm"; empty if it is none.
    """

    title: str
    label: str = ""


def _signature(pattern: bytes, title: str, label: str = "") -> tuple[re.Pattern[bytes], Format]:
    return re.compile(pattern, re.DOTALL), Format(title, label)


MP3 = Format("an MP3 file", "mp3")
AAC = Format("an AAC file", "aac")
WEBM_PIECE = Format("the middle of a WebM recording")
# The first that matches at the beginning. A picture may be in a container that otherwise holds sound.
_SIGNATURES = (
    _signature(rb"....ftyp(?:hei|hev|mif1|msf1|avi)", "a HEIC or AVIF picture"),
    _signature(rb"(?:RIFF|RF64|BW64)....WAVE", "a WAV file", "wav"),
    _signature(rb"fLaC", "a FLAC file", "flac"),
    _signature(rb"OggS", "an Ogg file", "ogg"),
    _signature(rb"ID3[\x02-\x04]", MP3.title, MP3.label),
    _signature(rb"\x1aE\xdf\xa3", "a WebM file", "webm"),  # Matroska too
    _signature(rb"....(?:ftyp|moov|mdat|wide|free|skip|pnot)", "an MP4 or M4A file", "mp4"),  # MOV, 3GP
    _signature(rb"FORM....AIF[FC]", "an AIFF file", "aiff"),
    _signature(rb"caff\x00", "a CAF file", "caf"),
    _signature(rb"#!AMR", "an AMR file", "amr"),
    _signature(rb"\x1fC\xb6u", WEBM_PIECE.title),
    _signature(rb"....(?:moof|sidx|styp)", "the middle of an MP4 recording"),
    _signature(rb"\xff\xd8\xff[\xc0-\xfe]", "a JPEG picture"),
    _signature(rb"\x89PNG\r\n", "a PNG picture"),
    _signature(rb"GIF8[79]a", "a GIF picture"),
    _signature(rb"RIFF....WEBP", "a WebP picture"),
    _signature(rb"RIFF....AVI ", "an AVI video"),
    _signature(rb"MThd\x00\x00\x00\x06", "a MIDI file"),
    _signature(rb"PK(?:\x03\x04|\x05\x06)", "a ZIP archive"),
    _signature(rb"\x1f\x8b\x08[\x00\x08]", "a gzip archive"),
    _signature(rb"%PDF-", "a PDF document"),
)
_TEXTS = (
    _signature(rb"\s*<(?:!doctype html|html)", "an HTML page"),
    _signature(rb"\s*[{\[]", "JSON"),
    _signature(rb"", "text"),
)


def identify(data: bytes, label: str = "") -> Format | None:
    """Tell what a file is.

    Arguments:
        data: its beginning, best a kilobyte or more.
        label: what the sender calls it; believed only where the bytes leave it open.

    Returns:
        None if it begins like nothing known, as samples without a header do.
    """
    for pattern, found in _SIGNATURES:
        if pattern.match(data):
            return found
    if _begins_with_frame(data, _mpeg_frame_size(data), 0xFE, trusted=label in _MPEG_LABELS):
        return MP3
    if _begins_with_frame(data, _adts_frame_size(data), 0xF6, trusted=label in _ADTS_LABELS):
        return AAC
    if _is_webm_piece(data):
        return WEBM_PIECE
    return _identify_text(data)


def is_no_pcm16(data: bytes) -> bool:
    """Tell bytes that cannot be PCM16 from sound, such as a compressed recording whose beginning is missing.

    In compressed bytes every value is as frequent as any other: read as samples, half of them are beyond
    half of full scale, and every second one has another sign than that before. Of spoken samples at 16 kHz
    clipped until as many are as loud, one in seven has (measured); only hiss at full scale is like it.

    Arguments:
        data: a whole recording, little-endian.
    """
    highs = data[1::2]
    if len(highs) < _MIN_JUDGED_SAMPLES:
        return False
    loud = highs.translate(_IS_LOUD).count(1) / len(highs)
    signs = highs.translate(_IS_NEGATIVE)
    changes = (signs.count(b"\x00\x01") + signs.count(b"\x01\x00")) / len(highs)
    return abs(loud - 0.5) < _NEAR and abs(changes - 0.5) < _NEAR


def says_too_little(data: bytes) -> bool:
    """Tell whether a WAV file's samples go on behind the end that its header names.

    A client that streams writes the header before it knows the length: that of the first chunk, or 0.
    """
    if not re.match(rb"RIFF....WAVE", data[:HEAD_BYTES], re.DOTALL):
        return False
    position, has_samples = HEAD_BYTES, False
    while position + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        end = position + 8 + size
        if has_samples and not (name.isascii() and name.decode().isprintable() and end <= len(data)):
            return True  # no chunk of metadata, so samples
        has_samples = has_samples or name == b"data"
        position = end + size % 2
    return False


def _begins_with_frame(data: bytes, size: int, same: int, *, trusted: bool) -> bool:
    """Look for a second header behind the first: one alone may as well be two loud samples.

    Arguments:
        data: what to look at.
        size: the first frame's size by its header; 0 if there is no header.
        same: the bits of a header's second byte that all frames share.
        trusted: what to answer if the data end before the second header.
    """
    if not size:
        return False
    if len(data) < size + 2:
        return trusted
    return data[size] == 0xFF and data[size + 1] & same == data[1] & same


def _mpeg_frame_size(data: bytes) -> int:
    """Return the size of the MPEG layer III frame at the beginning, 0 if there is none."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return 0
    version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
    bitrate, rate = data[2] >> 4, data[2] >> 2 & 3
    if version == 1 or layer != 1 or bitrate in (0, 15) or rate == 3:
        return 0
    factor, bitrates = (144_000, _KBIT_S_MPEG_1) if version == 3 else (72_000, _KBIT_S_MPEG_2)
    return factor * bitrates[bitrate - 1] // _SAMPLE_RATES[version][rate] + (data[2] >> 1 & 1)


def _adts_frame_size(data: bytes) -> int:
    """Return the size of the AAC frame at the beginning, 0 if there is none."""
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0 or data[2] >> 2 & 15 > 12:
        return 0
    size = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    return size if size > 7 else 0


def _is_webm_piece(data: bytes) -> bool:
    """Tell blocks of sound in a row, which is what browsers send after a recording's first piece."""
    position = blocks = 0
    while blocks < 2 and position < len(data):
        if data[position] != 0xA3:
            return False
        head = data[position + 1 : position + 4]  # the size in one or two bytes, the track
        if len(head) < 3 or not head[0] & 0xC0:
            return False
        width, size = (1, head[0] & 0x7F) if head[0] & 0x80 else (2, (head[0] & 0x3F) << 8 | head[1])
        if size < 5 or not 0x81 <= head[width] <= 0x84:
            return False
        position += 1 + width + size
        blocks += 1
    return blocks == 2 or (blocks == 1 and position == len(data))


def _identify_text(data: bytes) -> Format | None:
    """Tell text from samples, which do not stay among the printable characters for long."""
    head = data[:_TEXT_PROBE_BYTES].removeprefix(codecs.BOM_UTF8)
    if len(data) < _TEXT_PROBE_BYTES:
        return None
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    if not "".join(text.split()).isprintable():
        return None
    return next(found for pattern, found in _TEXTS if pattern.match(head.lower()))
