"""What the API takes and gives, as pydantic models: the schemas of its OpenAPI document."""
