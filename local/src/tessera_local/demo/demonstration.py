"""The demonstration sector: 32 simulated full-size frames of sector 1, camera 4, CCD 2, of SPOC or of TICA.

The frames lie in the pause between the two orbits of sector 1, when the spacecraft sent its data home. So no real file
has their names. WCS, geometry, gains, read noise and timing are real. The sky is simulated: SIMDATA is T in both
headers, and OBJECT, ORIGIN and COMMENT of the primary header say so too.

As in many real sectors, the first frame has no WCS, and one frame has a longer header.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from tessera_local.demo import light_curves, sky, tica_files
from tessera_local.demo.spoc_files import ExtraCard, FrameFacts, frame_bytes, frame_name, lengthened, read_cards

VERSION = "2"
"""Version of the frames. It changes with them."""
SECTOR, CAMERA, CCD = 1, 4, 2
N_FRAMES = 32
N_FIELD_STARS = 4000
FRAME_WITHOUT_WCS = 0
FRAME_WITH_LONGER_HEADER = 7
DQUALITY = {0: 36, 15: 32, 30: 4096, 31: 4096}
"""Quality bits by frame: coarse pointing during wheel unloading (36), wheel unloading (32), scattered light (4096)."""
EXPOSURE_DAYS = 1 / 48

_SEED = 4207
_FIRST_START = 1338.7714257407408  # 2018-08-08T06:29:42 UTC as TJD in TDB, at the spacecraft
_FIRST_FFI_INDEX = 5343
REFERENCE_TIME = _FIRST_START + 19.5 * EXPOSURE_DAYS
"""TJD of a primary eclipse, of the middle of a transit, and of the pulsator's mean brightness during its rise."""

_LIVE_SECONDS = 720 * 1.98
_ISOLATION_PIXELS = 16.0
_COMMENT = "All pixels are simulated: this is not a TESS observation."


class Example(NamedTuple):
    """A variable star: position in degrees, pixel from 0, kind of variation, and period in days."""

    name: str
    ra: float
    dec: float
    kind: str
    period_days: float
    row: int
    column: int


EXAMPLES = [
    Example("pulsator", 78.2234, -74.6666, "pulsating variable", 0.2, 700, 650),
    Example("binary", 98.2164, -75.9018, "eclipsing binary", 0.27, 1200, 1400),
    Example("planet", 92.7540, -72.3811, "transiting planet", 3.5, 1500, 800),
]


class Asteroid(NamedTuple):
    """A moving target: position in degrees at `REFERENCE_TIME`, change in degrees per day, and period in days."""

    ra: float
    dec: float
    ra_per_day: float
    dec_per_day: float
    period_days: float

    def place(self, time: float) -> tuple[float, float]:
        """RA and Dec in degrees at a time (TJD)."""
        days = time - REFERENCE_TIME
        return self.ra + self.ra_per_day * days, self.dec + self.dec_per_day * days


ASTEROID = Asteroid(81.4, -75.43, 0.82, -0.1, 0.25)


@dataclass(frozen=True, slots=True)
class _Varying:
    magnitude: float
    curve: light_curves.LightCurve
    reference: float


_VARYING = (
    _Varying(10.5, partial(light_curves.pulsation, period=0.2, amplitude=0.3), REFERENCE_TIME),
    _Varying(10.0, partial(light_curves.eclipses, period=0.27, primary=0.4, secondary=0.2), REFERENCE_TIME),
    _Varying(9.0, partial(light_curves.transit, period=3.5, depth=0.015, duration=2.5 / 24), REFERENCE_TIME),
)
_ROTATING = _Varying(10.0, partial(light_curves.pulsation, period=ASTEROID.period_days, amplitude=0.25), REFERENCE_TIME)


@lru_cache(maxsize=1)
def _still_stars() -> sky.Stars:
    """The constant stars. The variable ones have no neighbour among them."""
    wcs = read_cards("wcs_s0001_4_2.cards.txt")
    stars = sky.field_stars(wcs, N_FIELD_STARS, np.random.default_rng(_SEED))
    places = tuple((example.ra, example.dec) for example in EXAMPLES)
    return sky.without_neighbours(stars, wcs, places, _ISOLATION_PIXELS)


def catalogue() -> sky.Stars:
    """All stars of the sector, with the mean magnitudes of the variable ones, which come first."""
    still = _still_stars()
    return sky.Stars(
        np.concatenate([[example.ra for example in EXAMPLES], still.ra]),
        np.concatenate([[example.dec for example in EXAMPLES], still.dec]),
        np.concatenate([[star.magnitude for star in _VARYING], still.magnitude]),
    )


@lru_cache(maxsize=1)
def _still_sky() -> sky.Image:
    """Image of the constant stars. It is cached, because it is the same in every frame."""
    image = sky.render(read_cards("wcs_s0001_4_2.cards.txt"), _still_stars())
    image.flags.writeable = False
    return image


@lru_cache(maxsize=1)
def _read_variance() -> sky.Image:
    """Variance of the read-out per column, in (e-/s)**2: four outputs, and 720 reads in a frame."""
    science = read_cards("spoc_science.cards.txt")
    noise = np.zeros(sky.FRAME_SHAPE[1], dtype=np.float32)
    for output in "ABCD":
        for first, last in (("LVCS", "LVCE"), ("SCCS", "SCCE"), ("TVCS", "TVCE")):
            noise[science[first + output] - 1 : science[last + output]] = science[f"READNOI{output}"]
    variance: sky.Image = noise**2 * np.float32(science["NREADOUT"] / _LIVE_SECONDS**2)
    return variance


def _background(index: int) -> sky.Image:
    """Zodiacal light, which is stronger towards one corner, and stray light, which grows as the Earth rises."""
    rows = np.linspace(-1, 1, sky.FRAME_SHAPE[0], dtype=np.float32)[sky.SCIENCE_ROWS]
    columns = np.linspace(-1, 1, sky.FRAME_SHAPE[1], dtype=np.float32)[sky.SCIENCE_COLUMNS]
    progress = index / (N_FRAMES - 1)
    stray = np.float32(4 * progress + 30 * progress**6)
    zodiacal = np.float32(85) + 8 * rows[:, np.newaxis] - 5 * columns
    glow: sky.Image = stray * (1 + np.float32(0.4) * columns)
    return zodiacal + glow


def _expected(index: int, mid: float) -> sky.Image:
    """Image of the CCD without noise."""
    wcs = read_cards("wcs_s0001_4_2.cards.txt")
    image = _still_sky().copy()
    image[sky.SCIENCE_ROWS, sky.SCIENCE_COLUMNS] += _background(index)
    varying = [((example.ra, example.dec), star) for example, star in zip(EXAMPLES, _VARYING, strict=True)]
    for (ra, dec), star in [*varying, (ASTEROID.place(mid), _ROTATING)]:
        row, column = sky.to_pixels(wcs, np.array([ra]), np.array([dec]))
        change = light_curves.exposed(star.curve, mid - star.reference, EXPOSURE_DAYS)
        rate = float(sky.rate_of(np.array([star.magnitude]))[0])
        sky.add_star(image, float(row[0]), float(column[0]), rate * change)
    return image


def _facts(index: int) -> FrameFacts:
    start = _FIRST_START + index * EXPOSURE_DAYS
    barycorr = round(0.000655 - 6.6e-6 * index * EXPOSURE_DAYS, 11)
    return FrameFacts(
        sector=SECTOR,
        camera=CAMERA,
        ccd=CCD,
        ffi_index=_FIRST_FFI_INDEX + index,
        tstart=start + barycorr,
        tstop=start + EXPOSURE_DAYS + barycorr,
        barycorr=barycorr,
        dquality=DQUALITY.get(index, 0),
        simulated=True,
    )


def _pixels(index: int) -> tuple[FrameFacts, sky.Image, sky.Image]:
    """Facts of a frame, its pixels and their errors in electrons per second."""
    if not 0 <= index < N_FRAMES:
        raise IndexError(f"the demonstration has frames 0 to {N_FRAMES - 1}, not {index}")
    facts = _facts(index)
    flux = _expected(index, (facts.tstart + facts.tstop) / 2)
    error = np.sqrt(flux / np.float32(_LIVE_SECONDS) + _read_variance())
    noise = np.random.default_rng([_SEED, index]).standard_normal(sky.FRAME_SHAPE, dtype=np.float32)
    noise *= error
    flux += noise
    return facts, flux, error


def tica_frame(index: int) -> tuple[str, bytes]:
    """File name and bytes of the TICA frame with the pixels of a SPOC frame.

    Parameters
    ----------
    index : int
        Number of the frame in order of time, 0 to ``N_FRAMES - 1``.
    """
    facts, flux, _ = _pixels(index)
    electrons = flux * np.float32(_LIVE_SECONDS)
    wcs = read_cards("wcs_s0001_4_2.cards.txt")
    return tica_files.frame_name(facts), tica_files.frame_bytes(facts, electrons, _LIVE_SECONDS, wcs)


def frame(index: int) -> tuple[str, bytes]:
    """File name and bytes of one SPOC frame.

    A frame does not depend on others. So frames can be made in any order and in several processes.

    Parameters
    ----------
    index : int
        Number of the frame in order of time, 0 to ``N_FRAMES - 1``.
    """
    facts, flux, error = _pixels(index)
    wcs = read_cards("wcs_s0001_4_2.cards.txt")
    if index == FRAME_WITH_LONGER_HEADER:
        wcs = lengthened(wcs)
    origin: list[ExtraCard] = [
        ("ORIGIN", "Tessera", "made by the demonstration of Tessera"),
        ("CREATOR", f"tessera_local.demo {VERSION}", "program and its version"),
        ("DATA_REL", 0),
        ("OBJECT", "SIMULATED STAR FIELD", "not a TESS observation"),
        ("COMMENT", _COMMENT),
    ]
    content = frame_bytes(facts, flux, error, None if index == FRAME_WITHOUT_WCS else wcs, primary_cards=origin)
    return frame_name(facts), content


def frames() -> Iterator[tuple[str, bytes]]:
    """All frames in order of time, one at a time, because each has 35 MB."""
    return map(frame, range(N_FRAMES))
