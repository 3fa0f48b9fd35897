"""A published corpus looked at row by row by Great Expectations: nothing is refused here, what is odd is told."""
