"""The pages and calls of the service; they hold no rule of the domain."""
