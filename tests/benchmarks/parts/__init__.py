"""The parts of the benchmark: each measures one thing, with its floor, in the same run."""
