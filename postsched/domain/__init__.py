"""What postsched is about: posts, schedules, deliveries. Pure: no I/O, no clock, no chance."""
