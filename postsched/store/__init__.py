"""SQL and nothing else. The caller owns the transaction: no function here commits."""
