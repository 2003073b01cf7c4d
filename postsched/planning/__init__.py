"""What goes out next: the rows of deliveries to come, of posts that go out once and of series.

The modules: `planner` makes a row, `chain` the next of a series, `catching_up` what becomes of what
a series missed. Whoever changes what waits, a person or a worker, plans with these.
"""
