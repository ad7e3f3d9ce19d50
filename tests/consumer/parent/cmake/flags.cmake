set(parents_flags ON)
