"""Say in sentences what is unusual about the frames of a cube: what was converted, and what their cards do not tell."""

from __future__ import annotations

from collections.abc import Sequence

from tessera.cubes.frames import Frame
from tessera.fits.headers import Header

_COMMENTARY = frozenset({"COMMENT", "HISTORY", "CONTINUE", ""})
_NAMED = 5


def find_remarks(frames: Sequence[Frame]) -> tuple[str, ...]:
    """Describe what a cube of some frames does not tell by itself.

    Returns
    -------
    tuple of str
        One sentence for each kind, not for each frame; empty for usual frames.
    """
    product = frames[0].product
    remarks = [_converted(frames), _missing(frames, product.quality, "QUALITY is 0")]
    if product.barycentric:
        remarks.append(_missing(frames, "BARYCORR", "TIMECORR is not a number (NaN)"))
    else:
        remarks.append(_missing(frames, product.cadence, "CADENCENO is 0"))
    return tuple(remark for remark in (*remarks, _repeated(frames)) if remark)


def _some(frames: Sequence[Frame], chosen: Sequence[Frame]) -> str:
    if len(chosen) == len(frames):
        return "all frames"
    return f"{len(chosen):,} of {len(frames):,} frames (the first is {chosen[0].name})"


def _converted(frames: Sequence[Frame]) -> str:
    unusual = [frame for frame in frames if not frame.plain]
    if not unusual:
        return ""
    forms = list(dict.fromkeys(str(form) for frame in unusual for form in frame.formats if not form.plain))
    shown = ", ".join(forms[:_NAMED]) + (", ..." if len(forms) > _NAMED else "")
    return f"The pixels of {_some(frames, unusual)} are converted to 32-bit floats, which is slower: {shown}."


def _missing(frames: Sequence[Frame], keyword: str, consequence: str) -> str:
    without = [frame for frame in frames if frame.science.get(keyword) is None]
    if not without:
        return ""
    return f"{keyword} is missing in {_some(frames, without)}; in target pixel files, {consequence} there."


def _repeated(frames: Sequence[Frame]) -> str:
    found = {frame.name: _different_values(frame.science) for frame in frames}
    keywords = list(dict.fromkeys(keyword for repeated in found.values() for keyword in repeated))
    if not keywords:
        return ""
    chosen = [frame for frame in frames if found[frame.name]]
    shown = ", ".join(keywords[:_NAMED]) + (", ..." if len(keywords) > _NAMED else "")
    return f"Cards occur twice with different values in {_some(frames, chosen)}, and the first value counts: {shown}."


def _different_values(header: Header) -> list[str]:
    """Keywords that occur several times in a header, with different values."""
    if len({card.keyword for card in header.cards}) == len(header.cards):
        return []
    first = header.first_values
    repeated = [card.keyword for card in header.cards if card.value != first[card.keyword]]
    return [keyword for keyword in dict.fromkeys(repeated) if keyword not in _COMMENTARY]
