"""ObsCore 1.1: the columns that every answer of SIA 2.0 has."""

from __future__ import annotations

from tests.ivoa.clauses.documents import Table
from tests.ivoa.clauses.report import clause, require
from tests.ivoa.clauses.site import Site

TEXT, WHOLE, REAL = {"char", "unicodeChar"}, {"short", "int", "long"}, {"double", "float"}
NONE = ""
COLUMNS = {
    "dataproduct_type": (TEXT, NONE, "meta.code.class", "ObsDataset.dataProductType"),
    "calib_level": (WHOLE, NONE, "meta.code;obs.calib", "ObsDataset.calibLevel"),
    "obs_collection": (TEXT, NONE, "meta.id", "DataID.Collection"),
    "obs_id": (TEXT, NONE, "meta.id", "DataID.observationID"),
    "obs_publisher_did": (TEXT, NONE, "meta.ref", "Curation.PublisherDID"),
    "access_url": (TEXT, NONE, "meta.ref.url", "Access.Reference"),
    "access_format": (TEXT, NONE, "meta.code.mime", "Access.Format"),
    "access_estsize": (WHOLE, "kbyte", "phys.size;meta.file", "Access.Size"),
    "target_name": (TEXT, NONE, "meta.id;src", "Target.Name"),
    "s_ra": (REAL, "deg", "pos.eq.ra", "Char.SpatialAxis.Coverage.Location.Coord.Position2D.Value2.C1"),
    "s_dec": (REAL, "deg", "pos.eq.dec", "Char.SpatialAxis.Coverage.Location.Coord.Position2D.Value2.C2"),
    "s_fov": (REAL, "deg", "phys.angSize;instr.fov", "Char.SpatialAxis.Coverage.Bounds.Extent.diameter"),
    "s_region": (TEXT, NONE, "pos.outline;obs.field", "Char.SpatialAxis.Coverage.Support.Area"),
    "s_resolution": (REAL, "arcsec", "pos.angResolution", "Char.SpatialAxis.Resolution.Refval.value"),
    "s_xel1": (WHOLE, NONE, "meta.number", "Char.SpatialAxis.numBins1"),
    "s_xel2": (WHOLE, NONE, "meta.number", "Char.SpatialAxis.numBins2"),
    "t_xel": (WHOLE, NONE, "meta.number", "Char.TimeAxis.numBins"),
    "t_min": (REAL, "d", "time.start;obs.exposure", "Char.TimeAxis.Coverage.Bounds.Limits.StartTime"),
    "t_max": (REAL, "d", "time.end;obs.exposure", "Char.TimeAxis.Coverage.Bounds.Limits.StopTime"),
    "t_exptime": (REAL, "s", "time.duration;obs.exposure", "Char.TimeAxis.Coverage.Support.Extent"),
    "t_resolution": (REAL, "s", "time.resolution", "Char.TimeAxis.Resolution.Refval.value"),
    "em_xel": (WHOLE, NONE, "meta.number", "Char.SpectralAxis.numBins"),
    "em_min": (REAL, "m", "em.wl;stat.min", "Char.SpectralAxis.Coverage.Bounds.Limits.LoLimit"),
    "em_max": (REAL, "m", "em.wl;stat.max", "Char.SpectralAxis.Coverage.Bounds.Limits.HiLimit"),
    "em_res_power": (REAL, NONE, "spect.resolution", "Char.SpectralAxis.Resolution.ResolPower.refVal"),
    "o_ucd": (TEXT, NONE, "meta.ucd", "Char.ObservableAxis.ucd"),
    "pol_xel": (WHOLE, NONE, "meta.number", "Char.PolarizationAxis.numBins"),
    "pol_states": (TEXT, NONE, "meta.code;phys.polarization", "Char.PolarizationAxis.stateList"),
    "facility_name": (TEXT, NONE, "meta.id;instr.tel", "Provenance.ObsConfig.Facility.name"),
    "instrument_name": (TEXT, NONE, "meta.id;instr", "Provenance.ObsConfig.Instrument.name"),
}
"""Name to data types, unit, UCD (or how it begins) and utype after `obscore:`."""
FILLED = ["calib_level", "obs_collection", "obs_id", "obs_publisher_did"]
POLARISATIONS = {"I", "Q", "U", "V", "RR", "LL", "RL", "LR", "XX", "YY", "XY", "YX", "POLI", "POLA"}


@clause("ObsCore 1.1", "4", "The answer has the thirty mandatory columns")
def obscore_columns(site: Site) -> None:
    missing = sorted(COLUMNS.keys() - Table(site.search(("MAXREC", "1")).body).fields.keys())
    require(not missing, f"columns are missing: {', '.join(missing)}")


@clause("ObsCore 1.1", "table 5", "The columns have the standard's data types")
def obscore_types(site: Site) -> None:
    fields = Table(site.search(("MAXREC", "1")).body).fields
    wrong = [
        f"{name} is {fields[name].get('datatype')}"
        for name in COLUMNS.keys() & fields.keys()
        if fields[name].get("datatype") not in COLUMNS[name][0]
    ]
    require(not wrong, "; ".join(sorted(wrong)))


@clause("ObsCore 1.1", "table 5", "The columns have the standard's units")
def obscore_units(site: Site) -> None:
    fields = Table(site.search(("MAXREC", "1")).body).fields
    wrong = [
        f"{name} is in {fields[name].get('unit')}"
        for name in COLUMNS.keys() & fields.keys()
        if (fields[name].get("unit") or NONE) != COLUMNS[name][1]
    ]
    require(not wrong, "; ".join(sorted(wrong)))


@clause("ObsCore 1.1", "table 5", "The columns have the standard's UCDs")
def obscore_ucds(site: Site) -> None:
    fields = Table(site.search(("MAXREC", "1")).body).fields
    wrong = []
    for name in COLUMNS.keys() & fields.keys():
        ucd, wanted = fields[name].get("ucd") or "", COLUMNS[name][2]
        if ucd != wanted and not (name == "obs_publisher_did" and ucd.startswith(wanted)):
            wrong.append(f"{name} has {ucd}")
    require(not wrong, "; ".join(sorted(wrong)))


@clause("ObsCore 1.1", "table 5", "The columns have the standard's utypes, without regard to case")
def obscore_utypes(site: Site) -> None:
    fields = Table(site.search(("MAXREC", "1")).body).fields
    wrong = [
        f"{name} has {fields[name].get('utype')}"
        for name in COLUMNS.keys() & fields.keys()
        if (fields[name].get("utype") or "").lower() != f"obscore:{COLUMNS[name][3]}".lower()
    ]
    require(not wrong, "; ".join(sorted(wrong)))


@clause("ObsCore 1.1", "4.1", "The level of calibration, the collection and both identifiers are never empty")
def obscore_filled(site: Site) -> None:
    require(site.rows, "the service has no rows")
    wrong = sorted({name for row in site.rows for name in FILLED if row[name] is None})
    require(not wrong, f"empty in some row: {', '.join(wrong)}")


@clause("ObsCore 1.1", "4.4", "Identifiers of the publisher are unique")
def obscore_unique(site: Site) -> None:
    dids = [str(row["obs_publisher_did"]).lower() for row in site.rows]
    require(len(set(dids)) == len(dids), "a publisher's identifier has two rows")


@clause("ObsCore 1.1", "4", "Values are in their ranges, and intervals are in order")
def obscore_values(site: Site) -> None:
    for row in site.rows:
        did = row["obs_publisher_did"]
        require(row["calib_level"] in range(5), f"{did}: calib_level {row['calib_level']}")
        require(row["s_ra"] is None or 0 <= row["s_ra"] <= 360, f"{did}: s_ra {row['s_ra']}")
        require(row["s_dec"] is None or -90 <= row["s_dec"] <= 90, f"{did}: s_dec {row['s_dec']}")
        for low, high in (("t_min", "t_max"), ("em_min", "em_max")):
            both = row[low], row[high]
            require((both[0] is None) == (both[1] is None), f"{did}: one of {low} and {high} is empty")
            require(None in both or both[0] <= both[1], f"{did}: {low} {both[0]} is above {high} {both[1]}")
        states = row["pol_states"]
        known = states is None or set(states.strip("/").split("/")) <= POLARISATIONS
        framed = states is None or states[0] == states[-1] == "/"
        require(known and framed, f"{did}: pol_states {states}")
