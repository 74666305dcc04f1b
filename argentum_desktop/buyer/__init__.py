"""The other side: submit a job, watch it, fetch its results."""
