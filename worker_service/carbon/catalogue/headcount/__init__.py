"""People: food, waste, commuting, homeworking."""
