"""What Instagram and Threads take of a film alike (fact sheets, section 4)."""

from __future__ import annotations

from postsched.domain.film import FilmRules

FILM = FilmRules(
    max_width=1920,
    aspect=(0.01, 10),
    codecs=frozenset({"AVC", "HEVC"}),
    frame_rate=(23, 60),
    index_first=True,
)
