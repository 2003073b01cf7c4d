"""Others that do the same: scheduled jobs, each one a status POSTed to the server."""
