"""What was earned: postings that are only ever added."""
