"""Meta's Graph style, as Threads, Instagram and Facebook have it in common.

`adapter` is what their adapters are made from. `api` makes the calls and keeps the token out of
sight, `refusals` knows what errors mean, `containers` makes the invisible drafts of posts and reads
their state, `publishing` makes them visible and settles what the answers leave open, `lookup` finds
what is out, `comment` is the first comment, `usage` and `quota` know what is left of limits.
`consent` is how people log in, `pages` what Facebook Login makes of that, `tokens` trades tokens
for longer-lived ones, `introspection` asks when one ends. Sources: fact sheets threads.md,
instagram.md and facebook.md, which cite developers.facebook.com.
"""
