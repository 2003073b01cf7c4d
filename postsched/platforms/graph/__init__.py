"""Meta's Graph style, as Threads and its siblings have it in common.

`api` makes the calls and keeps the token out of sight, `refusals` knows what errors mean,
`containers` makes the invisible drafts of posts and reads their state, `publishing` makes them
visible and settles what the answers leave open, `lookup` finds what is out, `usage` and
`quota` know what is left of limits, `tokens` trades tokens for longer-lived ones. Sources: fact
sheets threads.md and instagram.md, which cite developers.facebook.com.
"""
