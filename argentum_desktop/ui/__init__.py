"""The tray and the window: Qt and nothing else."""
