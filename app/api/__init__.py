"""The two HTTP interfaces: `/openapi/v1` for 12345 platforms (signed), `/api/v1` for staff systems (tokens)."""
