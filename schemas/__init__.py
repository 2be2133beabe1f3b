"""Arrow schemas and pydantic models: the contracts between stages."""
