"""The API over HTTP, and the page: the use cases of the command line, for programs and browsers."""
