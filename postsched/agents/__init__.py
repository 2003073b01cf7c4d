"""What agents may do, by the Model Context Protocol: the use cases that people have, as tools."""
