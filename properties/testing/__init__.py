"""The pytest plugin: imported in every run, it waits for torch only once there is a claim."""
