"""Columns of the answers: those of ObsCore 1.1 (appendix C, table 8), and the place of a file in a public bucket."""

from __future__ import annotations

from typing import Final

from tessera_cloud.http.vo.votable.elements import Field

_SPACE, _TIME = "obscore:Char.SpatialAxis.", "obscore:Char.TimeAxis."
_EM, _POL = "obscore:Char.SpectralAxis.", "obscore:Char.PolarizationAxis."


def _text(name: str, utype: str, ucd: str, description: str, xtype: str = "") -> Field:
    return Field(name, "char", "*", ucd=ucd, utype=utype, xtype=xtype, id=name, description=description)


def _number(name: str, unit: str, utype: str, ucd: str, description: str) -> Field:
    return Field(name, "double", unit=unit, ucd=ucd, utype=utype, id=name, description=description)


def _whole(name: str, utype: str, ucd: str, description: str, unit: str = "") -> Field:
    return Field(name, "long", unit=unit, ucd=ucd, utype=utype, id=name, description=description)


FIELDS: Final = (
    _text("dataproduct_type", "obscore:ObsDataset.dataProductType", "meta.code.class", "Kind of the data"),
    Field("calib_level", "int", ucd="meta.code;obs.calib", utype="obscore:ObsDataset.calibLevel", id="calib_level",
          description="Level of calibration: 0 to 4"),
    _text("obs_collection", "obscore:DataID.collection", "meta.id", "Collection: TESS, or a dataset of images"),
    _text("obs_id", "obscore:DataID.observationID", "meta.id", "Name of the cube or of the file"),
    _text("obs_publisher_did", "obscore:Curation.publisherDID", "meta.ref.ivoid", "Identifier of the data"),
    _text("access_url", "obscore:Access.reference", "meta.ref.url", "Address of all that belongs to the data"),
    _text("access_format", "obscore:Access.format", "meta.code.mime", "Content type of what access_url leads to"),
    _whole("access_estsize", "obscore:Access.size", "phys.size;meta.file", "Size of the file", "kbyte"),
    _text("target_name", "obscore:Target.name", "meta.id;src", "Target"),
    _number("s_ra", "deg", f"{_SPACE}Coverage.Location.Coord.Position2D.Value2.C1", "pos.eq.ra",
            "Right ascension of the middle, ICRS"),
    _number("s_dec", "deg", f"{_SPACE}Coverage.Location.Coord.Position2D.Value2.C2", "pos.eq.dec",
            "Declination of the middle, ICRS"),
    _number("s_fov", "deg", f"{_SPACE}Coverage.Bounds.Extent.diameter", "phys.angSize;instr.fov",
            "Diameter of a circle that contains the region"),
    _text("s_region", f"{_SPACE}Coverage.Support.Area", "pos.outline;obs.field", "Region on the sky, ICRS",
          "adql:REGION"),
    _number("s_resolution", "arcsec", f"{_SPACE}Resolution.Refval.value", "pos.angResolution",
            "Spatial resolution"),
    _whole("s_xel1", f"{_SPACE}numBins1", "meta.number", "Number of columns of pixels"),
    _whole("s_xel2", f"{_SPACE}numBins2", "meta.number", "Number of rows of pixels"),
    _number("t_min", "d", f"{_TIME}Coverage.Bounds.Limits.StartTime", "time.start;obs.exposure",
            "Start of the first frame: MJD, UTC"),
    _number("t_max", "d", f"{_TIME}Coverage.Bounds.Limits.StopTime", "time.end;obs.exposure",
            "End of the last frame: MJD, UTC"),
    _number("t_exptime", "s", f"{_TIME}Coverage.Support.Extent", "time.duration;obs.exposure",
            "Exposure time of all frames"),
    _number("t_resolution", "s", f"{_TIME}Resolution.Refval.value", "time.resolution", "Time between two frames"),
    _whole("t_xel", f"{_TIME}numBins", "meta.number", "Number of frames"),
    _number("em_min", "m", f"{_EM}Coverage.Bounds.Limits.LoLimit", "em.wl;stat.min", "Shortest wavelength"),
    _number("em_max", "m", f"{_EM}Coverage.Bounds.Limits.HiLimit", "em.wl;stat.max", "Longest wavelength"),
    _number("em_res_power", "", f"{_EM}Resolution.ResolPower.refVal", "spect.resolution",
            "Spectral resolving power"),
    _whole("em_xel", f"{_EM}numBins", "meta.number", "Number of spectral elements"),
    _text("o_ucd", "obscore:Char.ObservableAxis.ucd", "meta.ucd", "UCD of the pixels"),
    _text("pol_states", f"{_POL}stateList", "meta.code;phys.polarization", "Polarization states"),
    _whole("pol_xel", f"{_POL}numBins", "meta.number", "Number of polarization states"),
    _text("facility_name", "obscore:Provenance.ObsConfig.Facility.name", "meta.id;instr.tel", "Telescope"),
    _text("instrument_name", "obscore:Provenance.ObsConfig.Instrument.name", "meta.id;instr", "Instrument"),
    _text("cloud_access", "", "", "Place of the file in a public bucket, as JSON"),
)  # fmt: skip
"""Names are those of `rows.COLUMNS`, in the same order."""
