"""Heroku's dyno sizes, so that scripts, app.json files and habits go on working.

Memory and processor counts: https://devcenter.heroku.com/articles/dyno-types. On a machine of one's own a size buys
nothing; it says how much memory a dyno may use, how many web processes it starts, and whether it may sleep.
"""

from __future__ import annotations

from dataclasses import dataclass

from homeport.errors import Invalid

DEFAULT = "Basic"


@dataclass(frozen=True)
class Size:
    """`memory` is in MB; `processors` are those of Heroku's own dyno of this name.

    `sleeps`: it rests while nobody asks for its app.
    """

    name: str
    memory: int
    processors: int
    sleeps: bool = False

    @property
    def web_concurrency(self) -> int:
        """The number of web processes that Heroku's Python buildpack starts in it.

        The lower of one per 256 MB and two per processor plus one:
        https://devcenter.heroku.com/articles/python-concurrency
        """
        return min(self.memory // 256, self.processors * 2 + 1)


_SIZES = (
    Size("Free", 512, 8, sleeps=True),
    Size("Eco", 512, 8, sleeps=True),
    Size("Hobby", 512, 8),
    Size("Basic", 512, 8),
    Size("Standard-1X", 512, 8),
    Size("Standard-2X", 1024, 8),
    Size("Performance-M", 2560, 2),
    Size("Performance-L", 14336, 8),
    Size("Performance-L-RAM", 30720, 4),
    Size("Performance-XL", 63488, 8),
    Size("Performance-2XL", 129024, 16),
    Size("Private-S", 1024, 8),
    Size("Private-M", 2560, 2),
    Size("Private-L", 14336, 8),
    Size("Shield-S", 1024, 8),
    Size("Shield-M", 2560, 2),
    Size("Shield-L", 14336, 8),
)
_BY_NAME = {size.name.lower(): size for size in _SIZES} | {
    # Names from before 2015 that old scripts still use.
    "1x": _SIZES[4],
    "2x": _SIZES[5],
    "px": _SIZES[7],
}


def every() -> tuple[Size, ...]:
    return _SIZES


def find(name: str) -> Size:
    """By name in any case ("standard-2x", "2X"). Raises `Invalid`."""
    size = _BY_NAME.get(name.lower())
    if size is None:
        raise Invalid(
            f"Couldn't find that dyno size ({name[:40]}).",
            fix=f"Use one of: {', '.join(size.name for size in _SIZES)}.",
        )
    return size
