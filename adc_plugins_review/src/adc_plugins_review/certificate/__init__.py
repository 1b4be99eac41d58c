"""Upper bounds of the wrong labels that are left after a review, and what a review should show."""
