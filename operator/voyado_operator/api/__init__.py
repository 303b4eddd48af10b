"""The resources as frozen Pydantic models, and the generator that makes the CRDs from them."""
