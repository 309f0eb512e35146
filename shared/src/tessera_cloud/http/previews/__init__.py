"""Operations for previews."""
