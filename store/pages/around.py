"""What a page of a room stands in where another server mounts it; by itself it stands in nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

HEAD, NAVIGATION = "{{ head }}", "{{ navigation }}"


@dataclass(frozen=True)
class Around:
    """Markup of the server's own, with every value in it escaped.

    Attributes:
        head: goes into the page's head.
        navigation: stands above the page.
        instead: asked for what is shown where the page has nothing to work with.
    """

    head: str = ""
    navigation: str = ""
    instead: Callable[[], str] | None = None

    def put_round(self, page: str) -> str:
        """The page with both in their places."""
        return page.replace(HEAD, self.head).replace(NAVIGATION, self.navigation)


ALONE = Around()
