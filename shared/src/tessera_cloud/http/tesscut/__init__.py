"""Operations of TESSCut."""
