"""Operations become events. A folder here is a source; each knows `base`, `stream` and itself."""
