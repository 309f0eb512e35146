"""The operations of TESSCut."""
