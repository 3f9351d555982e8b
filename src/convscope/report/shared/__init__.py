"""What the pages share: their look, and the way they are filled."""
