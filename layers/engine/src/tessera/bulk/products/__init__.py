"""Products of a list: light curves as Parquet and FITS, target pixel files, and a status of each row."""
