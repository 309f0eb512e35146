"""Operations on lists of targets."""
