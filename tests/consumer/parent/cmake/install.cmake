set(parents_install ON)
