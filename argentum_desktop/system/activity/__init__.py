"""What the owner does with the computer: one signal a file, each known or unknown with its reason."""
