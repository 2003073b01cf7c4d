"""How the posts of each network look in a terminal."""
