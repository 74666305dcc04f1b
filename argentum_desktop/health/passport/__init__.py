"""A card's passport: written, read, verified, compared with a card, and told in words."""
