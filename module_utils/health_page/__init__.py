"""What the report of the checks keeps from run to run, and the page that shows it."""
