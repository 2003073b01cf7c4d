"""A scheduler for social posts that lives in the terminal and needs no server."""

__version__ = "0.1.0"
