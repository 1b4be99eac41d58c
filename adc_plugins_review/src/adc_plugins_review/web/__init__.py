"""The pages of a review: a small server, templates, one script a page, no framework."""
