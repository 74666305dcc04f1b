"""Cards of every vendor on Windows, through its own libraries alone: no package and no elevation."""
