set(parents_isa ON)
