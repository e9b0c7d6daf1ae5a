"""What a campaign may do: activities, targeting, money, calendar, policies and goals."""
