"""Sends what is due: claim, send, settle. The core knows no scheduler."""
