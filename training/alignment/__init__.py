"""Long recordings and the text that nearly belongs to them: located, timed, scored and certified."""
