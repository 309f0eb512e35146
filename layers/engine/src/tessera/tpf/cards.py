"""Fixed cards of a target pixel file, in the order and words of the live TESSCut service."""

from __future__ import annotations

from typing import Any

BJDREFI = 2457000
"""Integer part of the reference date of all times."""

BARYCENTRIC_TIME_CARDS: tuple[tuple[str, Any, str], ...] = (
    ("TIMEREF", "SOLARSYSTEM", "barycentric correction applied to times"),
    ("TASSIGN", "SPACECRAFT", "where time is assigned"),
    ("TIMESYS", "TDB", "time system is Barycentric Dynamical Time (TDB)"),
    ("BJDREFI", BJDREFI, "integer part of BTJD reference date"),
    ("BJDREFF", 0.0, "fraction of the day in BTJD reference date"),
    ("TIMEUNIT", "d", "time unit for TIME, TSTART and TSTOP"),
)
"""Cards of times at the barycentre."""

SPACECRAFT_TIME_CARDS: tuple[tuple[str, Any, str], ...] = (
    ("TIMEREF", "LOCAL", "no barycentric correction applied to times"),
    ("TASSIGN", "SPACECRAFT", "where time is assigned"),
    ("TIMESYS", "TDB", "time scale is TDB, for the spacecraft"),
    ("BJDREFI", BJDREFI, "integer part of TJD reference date (JD)"),
    ("BJDREFF", 0.0, "fraction of the day in TJD reference date"),
    ("TIMEUNIT", "d", "time unit for TIME, TSTART and TSTOP"),
)
"""Cards of times at the spacecraft, with the keywords that readers of TESS files need."""

FIRST_AND_LAST_COMMENTS = {
    "TSTART": "observation start time in TJD of first FFI",
    "TSTOP": "observation stop time in TJD of last FFI",
    "DATE-OBS": "TSTART as UTC calendar date of first FFI",
    "DATE-END": "TSTOP as UTC calendar date of last FFI",
    "FFIINDEX": "number of FFI cadence interval of first FFI",
}
"""Comments of cards about the first and the last frame. A single frame has these cards with other comments."""

OBJECT_COMMENT = "string version of target id"

OBJECT_CARDS: tuple[tuple[str, Any, str], ...] = (
    ("OBJECT", "", OBJECT_COMMENT),
    ("TCID", 0, "unique tess target identifier"),
    ("PXTABLE", 0, "pixel table id"),
    ("PMRA", 0.0, "[mas/yr] RA proper motion"),
    ("PMDEC", 0.0, "[mas/yr] Dec proper motion"),
    ("PMTOTAL", 0.0, "[mas/yr] total proper motion"),
    ("TESSMAG", 0.0, "[mag] TESS magnitude"),
    ("TEFF", 0.0, "[K] Effective temperature"),
    ("LOGG", 0.0, "[cm/s2] log10 surface gravity"),
    ("MH", 0.0, "[log10([M/H])] metallicity"),
    ("RADIUS", 0.0, "[solar radii] stellar radius"),
    ("TICVER", 0, "TICVER"),
    ("TICID", None, "unique tess target identifier"),
)

WILDCARD_DELETIONS = (
    *("SC_*", "RMS*", "A_*", "AP_*", "B_*", "BP*", "GAIN*", "TESS_*", "CD*", "CT*", "CRPIX*", "CRVAL*", "MJD*"),
    *(
        "COMMENT",
        "FILTER",
        "TIME",
        "EXPTIME",
        "ACS_MODE",
        "DEC_TARG",
        "FLXWIN",
        "RA_TARG",
        "CCDNUM",
        "CAMNUM",
        "WCSGDF",
    ),
    *("UNITS", "CADENCE", "SCIPIXS", "INT_TIME", "PIX_CAT", "REQUANT", "DIFF_HUF", "PRIM_HUF", "QUAL_BIT", "SPM"),
    *("STARTTJD", "ENDTJD", "CRM", "TJD_ZERO", "CRM_N", "ORBIT_ID", "MIDTJD"),
)
"""Keywords of single frames that do not describe a whole cube; ``*`` stands for any ending."""

RESERVED_KEYWORDS = frozenset({"COMMENT", "SIMPLE", "BITPIX", "NAXIS", "EXTEND", "NEXTEND", "HISTORY", ""})
"""Keywords that extensions do not inherit."""

COLUMN_COMMENTS = {
    "TTYPE": "column name",
    "TFORM": "column format",
    "TUNIT": "unit",
    "TNULL": "null value",
    "TDISP": "display format",
    "TDIM": "multi-dimensional array spec",
}

_MATRIX = "Coordinate transformation matrix element"
SKY_COLUMN_CARDS: tuple[tuple[str, str, str], ...] = (
    ("WCAX{}", "WCSAXES", "number of WCS axes"),
    ("1CTYP{}", "CTYPE1", "right ascension coordinate type"),
    ("2CTYP{}", "CTYPE2", "declination coordinate type"),
    ("1CRPX{}", "CRPIX1", "[pixel] reference pixel along image axis 1"),
    ("2CRPX{}", "CRPIX2", "[pixel] reference pixel along image axis 2"),
    ("1CRVL{}", "CRVAL1", "[deg] right ascension at reference pixel"),
    ("2CRVL{}", "CRVAL2", "[deg] declination at reference pixel"),
    ("1CUNI{}", "CUNIT1", "physical unit in column dimension"),
    ("2CUNI{}", "CUNIT2", "physical unit in row dimension"),
    ("1CDLT{}", "CDELT1", "[deg] pixel scale in RA dimension"),
    ("2CDLT{}", "CDELT2", "[deg] pixel scale in DEC dimension"),
    ("11PC{}", "PC1_1", _MATRIX),
    ("12PC{}", "PC1_2", _MATRIX),
    ("21PC{}", "PC2_1", _MATRIX),
    ("22PC{}", "PC2_2", _MATRIX),
)
"""Form of the keyword, the image keyword that gives its value, and its comment."""

PHYSICAL_COLUMN_CARDS: tuple[tuple[str, Any, str], ...] = (
    ("WCSN{}P", "PHYSICAL", "table column WCS name"),
    ("WCAX{}P", 2, "table column physical WCS dimensions"),
    ("1CTY{}P", "RAWX", "table column physical WCS axis 1 type, CCD col"),
    ("2CTY{}P", "RAWY", "table column physical WCS axis 2 type, CCD row"),
    ("1CUN{}P", "PIXEL", "table column physical WCS axis 1 unit"),
    ("2CUN{}P", "PIXEL", "table column physical WCS axis 2 unit"),
    ("1CRV{}P", "column", "table column physical WCS ax 1 ref value"),
    ("2CRV{}P", "row", "table column physical WCS ax 2 ref value"),
    ("1CDL{}P", 1.0, "table column physical WCS a1 step"),
    ("2CDL{}P", 1.0, "table column physical WCS a2 step"),
    ("1CRP{}P", 1, "table column physical WCS a1 reference"),
    ("2CRP{}P", 1, "table column physical WCS a2 reference"),
)
"""Form of the keyword, value, and comment; ``column`` and ``row`` stand for the window's corner, counted from 1."""

IMAGE_KEYWORDS: tuple[tuple[str, str], ...] = (
    ("BACKAPP", "background is subtracted"),
    ("CDPP0_5", "RMS CDPP on 0.5-hr time scales"),
    ("CDPP1_0", "RMS CDPP on 1.0-hr time scales"),
    ("CDPP2_0", "RMS CDPP on 2.0-hr time scales"),
    ("CROWDSAP", "Ratio of target flux to total flux in op. ap."),
    ("DEADAPP", "deadtime applied"),
    ("DEADC", "deadtime correction"),
    ("EXPOSURE", "[d] time on source"),
    ("FLFRCSAP", "Frac. of target flux w/in the op. aperture"),
    ("FRAMETIM", "[s] frame time [INT_TIME + READTIME]"),
    ("FXDOFF", "compression fixed offset"),
    *((f"GAIN{output}", f"[electrons/count] CCD output {output} gain") for output in "ABCD"),
    ("INT_TIME", "[s] photon accumulation time per frame"),
    ("LIVETIME", "[d] TELAPSE multiplied by DEADC"),
    *((f"MEANBLC{output}", f"[count] FSW mean black level CCD output {output}") for output in "ABCD"),
    ("NREADOUT", "number of read per cadence"),
    ("NUM_FRM", "number of frames per time stamp"),
    *((f"READNOI{output}", f"[electrons] read noise CCD output {output}") for output in "ABCD"),
    ("READTIME", "[s] readout time per frame"),
    ("TIERRELA", "[d] relative time error"),
    ("TIMEDEL", "[d] time resolution of data"),
    ("TIMEPIXR", "bin time beginning=0 middle=0.5 end=1"),
    ("TMOFST11", "(s) readout delay for camera 1 and ccd 1"),
    ("VIGNAPP", "vignetting or collimator correction applied"),
)
"""Cards of the frame that gave the WCS, with their comments."""

IN_APERTURE = 2
"""Bit of a pixel in the optimal aperture, as in the mission's target pixel files. Bit 1 is a pixel of the frame."""
NOT_SCIENCE = 512
"""Bit of a collateral pixel, which then lacks bit 1. The mission uses bits 1 to 9."""

APERTURE_CARDS: tuple[tuple[str, Any, str], ...] = (
    ("NPIXMISS", None, "Number of op. aperture pixels not collected"),
    ("NPIXSAP", None, "Number of pixels in optimal aperture"),
)

DISPLAY = {
    "TIME": "D14.7",
    "TIMECORR": "E14.7",
    "CADENCENO": "I10",
    "RAW_CNTS": "I8",
    "QUALITY": "B16.16",
    "POS_CORR1": "E14.7",
    "POS_CORR2": "E14.7",
} | dict.fromkeys(("FLUX", "FLUX_ERR", "FLUX_BKG", "FLUX_BKG_ERR"), "E14.7")
"""TDISP by column."""
WIDE_QUALITY = "B32.32"
"""TDISP of QUALITY where it may have the bits of `tessera.tess.quality`: 16 digits do not show them."""
