"""A report as a reader's program sees it: elements, texts and references."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """What a page holds.

    Attributes
    ----------
    tags : list of (str, dict)
        Every element that is opened, with its attributes.
    words : str
        All text outside of style and figures, blanks made single.
    unclosed : list of str
        Elements that were opened and not closed in their place.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.unclosed: list[str] = []
        self._open: list[str] = []
        self._texts: list[str] = []
        self.feed(text)
        self.close()
        self.unclosed += self._open
        self.words = " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.unclosed.append(tag)
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not {"style", "svg"} & set(self._open):
            self._texts.append(data)

    def names(self) -> list[str]:
        """Return the names of all elements."""
        return [tag for tag, _ in self.tags]

    def ids(self) -> list[str]:
        """Return all ids."""
        return [a["id"] for _, a in self.tags if "id" in a]
