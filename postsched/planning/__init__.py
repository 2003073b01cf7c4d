"""What goes out next: the rows of deliveries to come, of posts that go out once and of series.

The modules: `timing` says when it is due, `planner` makes a row, `chain` the next of a series;
`taking` judges what leads one as it is taken up, by what `catching_up` chooses of what was missed.
`zone_rules` moves what waits when the rules of its zone have changed: `landing` says where to, and
`moving` does it.
Whoever changes what waits, a person or a worker, plans with these.
"""
