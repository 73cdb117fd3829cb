"""Export jobs: a durable queue in the database and the threads that empty it."""
