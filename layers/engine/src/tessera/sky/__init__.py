"""The sphere, footprints, and WCS."""
