"""Installing plugins and engines: where packages come from, the plan, and pip."""
