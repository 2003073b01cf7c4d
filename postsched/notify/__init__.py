"""Tells others what happened: one module a way. Nobody here retries, reads settings or knows the
database; each says what a single try came to, as `Told`, and no secret is in that.

`webhook` signs and posts to a program, `command` starts one, `targets` reaches a person on the
desktop or by any of Apprise's services, `heartbeat` says that all is well.
"""
