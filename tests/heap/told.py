"""Whether words stand in what is told."""


def first_missing(words: tuple[str, ...], text: str) -> str | None:
    """Return the first of the words that does not stand in the text after those before it."""
    place = 0
    for word in words:
        found = text.find(word, place)
        if found < 0:
            return word
        place = found + len(word)
    return None
