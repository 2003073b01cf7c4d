r"""Posts as data: JSON, JSON Lines, CSV, Markdown with front matter <-> drafts of posts.

`exchange` reads and writes any format, `keys` gives rows a key; `record` knows the names and what
each may hold; a format has a module of its own, and `markdown` serves an editor too. All formats
stream but Markdown, which is one post a file. `documents` are the JSON that commands print.
Nothing is imported here, so that a command pays only for what it uses.

Where CSV puts several values into one cell (`media`, `alt`, `then` at `|`; `to`, `tags` at `,`), a
separator with a backslash before it is part of a value. Backslashes mean nothing elsewhere; right
before a separator they are doubled.
"""
