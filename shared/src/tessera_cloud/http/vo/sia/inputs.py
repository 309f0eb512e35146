"""Parameters of SIA 2.0 as the OpenAPI document and the answers describe them. `parameters` parses them."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field, create_model

from tessera_cloud.application.vo.obscore.rows import DATALINK
from tessera_cloud.http.vo.sia.parameters import DEFAULT_ROWS, FORMATS, LEVELS, MOST_ROWS, PRODUCT_TYPES, STATES
from tessera_cloud.http.vo.votable.elements import Field as Column
from tessera_cloud.http.vo.votable.elements import Param

_INTERVAL: Final = {"datatype": "double", "arraysize": "2", "xtype": "interval"}
_TEXT: Final = {"datatype": "char", "arraysize": "*"}
ONCE = ("MAXREC", "RESPONSEFORMAT")
"""Parameters that may be given once."""
INPUTS: Final = (
    Param(Column("POS", **_TEXT, ucd="pos.outline;obs", unit="deg",
                 description="Shape on the sky that the region of the data touches: CIRCLE ra dec radius, "
                 "RANGE ra1 ra2 dec1 dec2 or POLYGON ra1 dec1 ra2 dec2 ra3 dec3 ..., in degrees, ICRS.")),
    Param(Column("BAND", **_INTERVAL, unit="m", ucd="em.wl;stat.interval",
                 description="Wavelength, or interval of wavelengths, that the data touch, in metres.")),
    Param(Column("TIME", **_INTERVAL, unit="d", ucd="time.interval;obs.exposure",
                 description="Time, or interval of times, that the data touch, as MJD in UTC.")),
    Param(Column("POL", **_TEXT, ucd="meta.code;phys.polarization", description="Polarization state of the data."),
          options=STATES),
    Param(Column("FOV", **_INTERVAL, unit="deg", ucd="phys.angSize;instr.fov",
                 description="Interval that contains the diameter of the field of view, in degrees.")),
    Param(Column("SPATRES", **_INTERVAL, unit="arcsec", ucd="pos.angResolution",
                 description="Interval that contains the spatial resolution, in arcseconds.")),
    Param(Column("SPECRP", **_INTERVAL, ucd="spect.resolution",
                 description="Interval that contains the spectral resolving power.")),
    Param(Column("EXPTIME", **_INTERVAL, unit="s", ucd="time.duration;obs.exposure",
                 description="Interval that contains the exposure time, in seconds.")),
    Param(Column("TIMERES", **_INTERVAL, unit="s", ucd="time.resolution",
                 description="Interval that contains the time between two frames, in seconds.")),
    Param(Column("ID", **_TEXT, ucd="meta.ref.ivoid",
                 description="Identifier of the data (obs_publisher_did), in any case, or the name of a cube.")),
    Param(Column("COLLECTION", **_TEXT, ucd="meta.id", description="Collection of the data (obs_collection).")),
    Param(Column("FACILITY", **_TEXT, ucd="meta.id;instr.tel", description="Telescope (facility_name).")),
    Param(Column("INSTRUMENT", **_TEXT, ucd="meta.id;instr", description="Instrument (instrument_name).")),
    Param(Column("DPTYPE", **_TEXT, ucd="meta.code.class", description="Kind of the data (dataproduct_type)."),
          options=PRODUCT_TYPES),
    Param(Column("CALIB", "int", ucd="meta.code;obs.calib", description="Level of calibration (calib_level)."),
          options=LEVELS),
    Param(Column("TARGET", **_TEXT, ucd="meta.id;src", description="Name of the target (target_name).")),
    Param(Column("FORMAT", **_TEXT, ucd="meta.code.mime",
                 description="Content type of what access_url leads to (access_format)."), options=(DATALINK,)),
    Param(Column("MAXREC", "int", description="Largest number of rows of the answer; 0 for a description of the "
                 f"service without rows. Without it, {DEFAULT_ROWS:,}."), str(DEFAULT_ROWS), minimum="0",
          maximum=str(MOST_ROWS)),
    Param(Column("RESPONSEFORMAT", **_TEXT, ucd="meta.code.mime", description="Format of the answer."), "votable",
          options=tuple(FORMATS)),
)  # fmt: skip
_EXAMPLES: Final = {
    "POS": "CIRCLE 88.95 -75.39 0.5",
    "BAND": "8e-7",
    "TIME": "58324.8 58324.9",
    "POL": "I",
    "FOV": "1 20",
    "SPATRES": "-Inf 60",
    "SPECRP": "1 10",
    "EXPTIME": "10 +Inf",
    "TIMERES": "-Inf 300",
    "ID": "ivo://tessera/cubes?tess-s0001-4-2",
    "COLLECTION": "TESS",
    "FACILITY": "TESS",
    "INSTRUMENT": "Photometer",
    "DPTYPE": "cube",
    "CALIB": "2",
    "TARGET": "Pi Men",
    "FORMAT": DATALINK,
    "MAXREC": "100",
    "RESPONSEFORMAT": "votable",
}


def _described(param: Param) -> Any:
    name, text = param.field.name, param.field.description
    if name in ONCE:
        return (str | None, Field(None, description=text, examples=[_EXAMPLES[name]]))
    text += " Several values are alternatives."
    return (list[str] | None, Field(None, description=text, examples=[[_EXAMPLES[name]]]))


SiaQuery: type[BaseModel] = create_model(
    "SiaQuery",
    __doc__="Parameters of SIA 2.0; names may be in any case.",
    **{param.field.name.lower(): _described(param) for param in INPUTS},
)
