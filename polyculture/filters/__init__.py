"""What takes documents out with a reason, before anything is compared."""
