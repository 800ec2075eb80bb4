"""The API described for programs (OpenAPI 3.1): declared beside each route, built at first use."""
