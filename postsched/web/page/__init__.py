"""The page: what people look at in a browser. Server-rendered; works without JavaScript."""
