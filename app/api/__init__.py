"""The HTTP interfaces: `/openapi/v1` for 12345 platforms, `/api/v1` for staff systems."""
