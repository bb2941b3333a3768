"""Values that ratings and what is known of users and items are held in."""
