"""What a program or an agent may do here: read, propose drafts, or write."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """Each includes those before it. A draft goes out only when a person approves it."""

    READ = "read"
    DRAFT = "draft"
    WRITE = "write"

    def allows(self, needed: Scope) -> bool:
        """Whether whoever has this one may do what needs that one."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)
