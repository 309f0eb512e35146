"""Operations for light curves of all sectors."""
