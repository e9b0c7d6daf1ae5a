"""Who lives here: residents, groups, leaders, organizations and the ties between them."""
