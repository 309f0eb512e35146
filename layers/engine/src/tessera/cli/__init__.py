"""The command line, `tessera`."""
