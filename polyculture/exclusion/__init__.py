"""What must not be in the shards: takedown lists, and licences that are not allowed."""
