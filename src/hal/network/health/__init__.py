"""The health of the network: the report of its checks, what is kept of it, the page, and the drawing."""
