"""Operations on images, also in the form of Zcut and Hapcut."""
