"""What routes are handed: the desk that the use cases work on, of this moment's settings."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from postsched.service.desk import Desk


async def desk_of(request: Request) -> Desk:
    """The desk; `state.desk` makes one, and knows of settings that were read again."""
    made: Desk = request.app.state.desk()
    return made


DeskOf = Annotated[Desk, Depends(desk_of)]
