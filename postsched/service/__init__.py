"""The writing use cases: each checks its rules and writes in one transaction."""
