"""A foreign set looked at as an import would look at it, without importing it: figures and one page to send."""
