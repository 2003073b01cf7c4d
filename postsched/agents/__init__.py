"""The use cases of the command line for agents, by the Model Context Protocol."""
